import Console
import Primitives
import Speech

/// What the stand-in hears, again and again: the utterances of a bundle, all clips of one length.
///
/// Clips of one length make turns that cost the same, so that the cost of a turn tells of the model alone.
struct Clips {
    /// Samples of the shortest clip: 10 s.
    static let leastSamples = 10 * Wave.sampleRate

    struct Clip {
        let samples: [Float]
        /// What is said in it.
        let transcript: String
    }

    let clips: [Clip]

    /// Samples of each clip.
    var length: Int { clips[0].samples.count }

    /// Utterances of 10 s or more, each as long as the shortest of them; where a bundle has none, all its utterances in a
    /// row, as often as it takes, from another one each time.
    ///
    /// What is cut off at the end is the pause after the last word, as long as the utterances differ by less than that.
    init(of suite: SmokeSuite, in folder: String) throws(Failure) {
        var heard: [(wave: Wave, transcript: String)] = []
        for utterance in suite.utterances {
            let path = "\(folder)/\(utterance.wav)"
            let bytes = try FileBytes.read(path, limit: Wave.fileLimit)
            let wave = try Failure.catching("utterance '\(path)'") { try Wave(parsing: bytes) }
            heard.append((wave, utterance.transcript))
        }
        let long = heard.filter { $0.wave.samples.count >= Self.leastSamples }
        if let shortest = long.map(\.wave.samples.count).min() {
            clips = long.map { wave, transcript in
                Clip(
                    samples: Array(wave.normalised.prefix(shortest)),
                    transcript: transcript)
            }
            return
        }
        let round = heard.reduce(0) { $0 + $1.wave.samples.count }
        let rounds = (Self.leastSamples + round - 1) / round
        clips = heard.indices.map { first in
            let once = Array(heard[first...] + heard[..<first])
            let all = (0..<rounds).flatMap { _ in once }
            return Clip(
                samples: all.flatMap(\.wave.normalised),
                transcript: all.map(\.transcript).joined(separator: " "))
        }
    }
}
