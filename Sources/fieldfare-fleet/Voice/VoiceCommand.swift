import ArgumentParser
import Console
import PosixFiles
import Primitives
import SpeechRuntime

/// The command `fieldfare-fleet voice`.
struct VoiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "voice",
        abstract: "Stands in for a voice application: hears packaged utterances.",
        discussion: """
            Leases the active model from the agent at --socket, loads it with the speech runtime in this process, \
            decodes the bundle's utterances one after the other, and records each turn with the agent: what it took \
            by the clock and on the processor, as measured. Follows every change of the model, and survives a \
            restart of the agent. Prints its events as JSON, one a line.

            With --folder it decodes the bundle whose files and manifest.json lie in that folder, without an agent, \
            and prints each turn: what a turn costs on this machine.
            """)

    @Option(help: "The agent's local socket.")
    var socket: String?

    @Option(help: "The folder of a bundle, with its manifest.json, as an agent lays it out.")
    var folder: String?

    @Option(
        help: "The folder of the speech runtime; otherwise what fieldfare-smoke would take.")
    var speechRuntime: String?

    @Option(help: "The application's name in its leases.")
    var application = "voice"

    @Option(help: "Milliseconds from one turn to the next.")
    var intervalMs: Int64 = 1_000

    @Option(help: "Milliseconds between two lines of figures.")
    var figuresMs: Int64 = 5_000

    @Option(help: "End after so many turns; without it, never.")
    var turns: Int?

    func validate() throws {
        guard (socket == nil) != (folder == nil) else {
            throw ValidationError("expected --socket or --folder, got both or neither")
        }
        guard (10...3_600_000).contains(intervalMs), (10...3_600_000).contains(figuresMs) else {
            throw ValidationError("expected intervals of 10 to 3600000 ms")
        }
        if folder != nil, turns == nil {
            throw ValidationError("expected --turns with --folder, got none")
        }
    }

    func run() throws {
        let library = try Failure.catching("speech runtime") {
            try SpeechLibrary(
                folder: RuntimeFolder.find(
                    RuntimeFolder.candidates(
                        named: speechRuntime,
                        environment: Environment.value(RuntimeFolder.variable),
                        program: RuntimeFolder.programPath())))
        }
        if let folder { return try measure(folder, library) }
        guard let socket else { return }
        try serve(VoiceApplication(socket: socket, name: application, library: library))
    }

    private func serve(_ voice: VoiceApplication) throws(Failure) {
        // Voices that start together do not speak together.
        var steps = Steps(interval: intervalMs, phase: Int64.random(in: 0..<intervalMs))
        var figures = Steps(interval: figuresMs, phase: 0)
        while turns.map({ voice.figures.turns < $0 }) ?? true {
            try voice.listen(milliseconds: steps.millisecondsLeft)
            if steps.takeIfDue() { voice.takeTurn() }
            if figures.takeIfDue() { Output.json(voice.figures.json(of: voice.version)) }
        }
        Output.json(voice.figures.json(of: voice.version))
    }

    private func measure(_ folder: String, _ library: SpeechLibrary) throws(Failure) {
        guard let version = SemanticVersion("0.0.0"), let turns else { return }
        let model = try ServedModel(folder, version: version, lease: nil, library: library)
        var figures = VoiceFigures()
        var steps = Steps(interval: intervalMs, phase: Int64.random(in: 0..<intervalMs))
        while figures.turns < turns {
            SystemClock.pause(nanoseconds: Int64(steps.millisecondsLeft) * 1_000_000)
            guard steps.takeIfDue() else { continue }
            let turn = model.turn()
            figures.count(turn)
            Output.json(turn.json)
        }
        Output.json(figures.json(of: nil))
    }
}

/// Moments at a steady distance; those that are missed are left out, not made up for.
private struct Steps {
    private let interval: Int64
    private var next: Int64

    /// In milliseconds.
    init(interval: Int64, phase: Int64) {
        self.interval = interval
        next = Self.now + phase
    }

    var millisecondsLeft: Int32 { Int32(clamping: max(0, next - Self.now)) }

    mutating func takeIfDue() -> Bool {
        let late = Self.now - next
        guard late >= 0 else { return false }
        next += (late / interval + 1) * interval
        return true
    }

    private static var now: Int64 { SystemClock.monotonicNanoseconds() / 1_000_000 }
}
