import Console
import Primitives
import SlotHost
import Speech
import SpeechRuntime

/// A model as the application serves it: leased from the agent, loaded, and with clips to hear.
///
/// The agent leaves its files alone until this object is let go of.
final class ServedModel {
    let version: SemanticVersion
    let lease: SocketLease?
    /// Wall time of loading, in microseconds.
    let loadMicroseconds: Int64
    private let recogniser: Recogniser
    private let clips: Clips
    private var next = 0

    /// Loads the bundle that lies in `folder`, with its manifest.
    ///
    /// - Throws: `Failure` where the bundle cannot be read, or the runtime refuses its model.
    init(
        _ folder: String, version: SemanticVersion, lease: SocketLease?, library: SpeechLibrary
    ) throws(Failure) {
        self.version = version
        self.lease = lease
        let path = "\(folder)/manifest.json"
        let bytes = try FileBytes.read(path, limit: SmokeJob.byteLimit)
        let job = try Failure.catching("manifest '\(path)'") { try SmokeJob(parsing: bytes) }
        clips = try Clips(of: job.suite, in: folder)
        let started = Stopwatch.wallMicroseconds()
        recogniser = try Failure.catching("bundle '\(folder)'") {
            try Recogniser(library, settings: job.settings, folder: folder)
        }
        loadMicroseconds = Stopwatch.wallMicroseconds() - started
    }

    /// Hears the next clip.
    func turn() -> Turn {
        let clip = clips.clips[next % clips.clips.count]
        next += 1
        let recognition = recogniser.transcribe(clip.samples)
        return Turn(
            version: version, latencyMicroseconds: recognition.wallMicroseconds,
            cpuMicroseconds: recognition.cpuMicroseconds,
            memoryKiB: ProcessMemory.residentKiB(), isEmpty: recognition.transcript.isEmpty,
            words: WordErrorRate(reference: clip.transcript, hypothesis: recognition.transcript))
    }
}

/// What one turn has cost, and how much of it was understood.
struct Turn {
    let version: SemanticVersion
    let latencyMicroseconds: Int64
    /// CPU time of the whole process, which has nothing else to do meanwhile.
    let cpuMicroseconds: Int64
    /// Memory of the whole process at this turn.
    let memoryKiB: Int64?
    /// Nothing was heard where something was said: the application counts it as an error.
    let isEmpty: Bool
    /// Against the packaged transcript; the agent is not told, since no application knows what was really said.
    let words: WordErrorRate

    /// What is recorded with the agent.
    var json: JSON {
        var fields: JSONObject = [
            "version": .string(version.description), "latency_us": .integer(latencyMicroseconds),
            "cpu_us": .integer(cpuMicroseconds), "error": .bool(isEmpty),
        ]
        fields["memory_kib"] = memoryKiB.map { .integer($0) }
        return .object(fields)
    }
}
