package import Speech

/// Runs the packaged utterances through a recogniser: a warm-up, then so many repeats of each.
package enum SmokeTest {
    /// Makes the recogniser, and decodes each utterance of the job's suite.
    ///
    /// - Parameters:
    ///   - job: the model to load and the utterances.
    ///   - waves: the sound of each utterance, in the suite's order.
    ///   - library: the opened runtime.
    ///   - folder: where the bundle's files lie.
    ///   - repeats: decodings of each utterance after the warm-up, at least 1.
    ///   - openMicroseconds: what opening the library took.
    /// - Returns: the figures for the result's line.
    /// - Throws: `tooOld` or `nullCreate`.
    package static func run(
        _ job: SmokeJob, waves: [Wave], library: SpeechLibrary, folder: String, repeats: Int,
        openMicroseconds: Int64
    ) throws(SpeechRuntimeError) -> SmokeFigures {
        let started = Stopwatch.wallMicroseconds()
        let recogniser = try Recogniser(library, settings: job.settings, folder: folder)
        let load = Stopwatch.wallMicroseconds() - started
        if let first = waves.first { _ = recogniser.transcribe(first.normalised) }
        var results: [UtteranceResult] = []
        var accept: Int64 = 0
        var decode: Int64 = 0
        var result: Int64 = 0
        for (utterance, wave) in zip(job.suite.utterances, waves) {
            let samples = wave.normalised
            let runs = (0..<repeats).map { _ in recogniser.transcribe(samples) }
            let fastest = runs.min { $0.wallMicroseconds < $1.wallMicroseconds } ?? runs[0]
            accept += fastest.acceptMicroseconds
            decode += fastest.decodeMicroseconds
            result += fastest.resultMicroseconds
            results.append(UtteranceResult(utterance, wave, runs))
        }
        return SmokeFigures(
            runtimeVersion: library.version, repeats: Int64(repeats),
            peakResidentBytes: ProcessMemory.peakBytes(),
            parts: SmokeParts(
                open: openMicroseconds, load: load, accept: accept, decode: decode, result: result),
            utterances: results)
    }
}

extension UtteranceResult {
    /// The transcript is the last repeat's: one that differs between repeats is a fault all repeats may show.
    fileprivate init(_ utterance: SmokeUtterance, _ wave: Wave, _ runs: [Recognition]) {
        let wall = runs.map(\.wallMicroseconds).sorted()
        self.init(
            wav: utterance.wav, transcript: Self.cut(runs[runs.count - 1].transcript),
            audioMilliseconds: Int64(wave.milliseconds),
            cpuMicroseconds: runs.map(\.cpuMicroseconds).min() ?? 0,
            wallP50Microseconds: Self.quantile(wall, percent: 50),
            wallP95Microseconds: Self.quantile(wall, percent: 95))
    }

    /// At most as many bytes as the line may have for it: garbage without end is wrong words, not bad output.
    private static func cut(_ transcript: String) -> String {
        // A character cut in two is replaced by one of 3 bytes.
        let limit = SmokeResult.transcriptLimit - 3
        guard transcript.utf8.count > limit else { return transcript }
        return String(decoding: transcript.utf8.prefix(limit), as: UTF8.self)
    }

    /// The nearest-rank quantile of sorted values.
    private static func quantile(_ sorted: [Int64], percent: Int) -> Int64 {
        let rank = (sorted.count * percent + 99) / 100
        return sorted[max(rank, 1) - 1]
    }
}
