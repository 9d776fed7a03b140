import AgentCore
import ArgumentParser
import Console
import CurlTransport
import FieldfareAgent
import Glibc
import PosixFiles
import Primitives
import RegistryCore
import TUF
import Telemetry

/// The command `fieldfare-fleet drive`.
struct DriveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drive",
        abstract: "Drives many simulated devices against a running registry, over HTTPS.",
        discussion: """
            One device for each enrolment token, each with a key, a TLS connection kept open, trusted metadata and a \
            state of its own. All enrol; then, in each round, every device polls (verified from --root as an agent \
            verifies it, conditional once it has a timestamp), decides, announces what it takes and waits for the \
            acknowledgement, is used, and reports what it has counted, signed. Turns, smoke tests and downloads of \
            models are made up; all else is the agent's own code, at this machine's clock.

            EXAMPLE
              fieldfare devices enrol-tokens --count 2000 > tokens
              fieldfare-fleet drive --server https://registry.example --root root.json --model commands-en --tokens tokens

            Exit code 1: a request failed, or a report was refused.
            """)

    /// Devices that one process may be.
    private static let deviceLimit = 20_000
    /// Descriptors besides those of the connections.
    private static let spareDescriptors = 64

    @Option(help: "The registry's base URL.")
    var server: String

    @Option(
        help: "A PEM file with the authority to trust; otherwise FIELDFARE_CA, or the system's.")
    var ca: String?

    @Option(help: "The trusted root, as devices have it from the factory.")
    var root: String

    @Option(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @Option(help: "A file with enrolment tokens, one a line.")
    var tokens: String

    @Option(help: "Rounds.")
    var rounds = 5

    @Option(help: "Devices that are served at the same time, each by a thread.")
    var lanes = 32

    @Option(help: "The regions of the devices, in turns, separated by commas.")
    var regions = "eu,us"

    @Option(help: "The device classes, in turns, separated by commas.")
    var deviceClasses = "hub"

    @Option(help: "The seed of turns and drifts.")
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(rounds), (1...256).contains(lanes) else {
            throw ValidationError(
                "expected --rounds of 1 to 10000 and --lanes of 1 to 256, got \(rounds) and \(lanes)"
            )
        }
    }

    func run() throws {
        let tokens = try readTokens()
        try raiseDescriptorLimit(for: tokens.count)
        let context = try context()
        let started = SystemClock.monotonicNanoseconds()
        let lanes = min(lanes, tokens.count)
        let enrolled = Barrier(lanes)
        let parts = Lanes.run(lanes) { lane in
            let own = tokens.indices.filter { $0 % lanes == lane }.map { ($0, tokens[$0]) }
            return DriveLane(context, own).run(rounds: rounds, enrolled: enrolled)
        }
        let seconds = Double(SystemClock.monotonicNanoseconds() - started) / 1e9
        let figures = parts.reduce(into: DriveFigures()) { $0.merge($1) }
        let report = DriveReport(figures, devices: tokens.count, rounds: rounds, seconds: seconds)
        if json { Output.json(report.json) } else { Output.line(report.text) }
        guard figures.failures == 0 else {
            throw Failure(
                .failed,
                "drive: expected no failure, got \(figures.failures): \(figures.troubleText)")
        }
    }

    private func readTokens() throws(Failure) -> [BearerText] {
        let bytes = try FileBytes.read(tokens, limit: Self.deviceLimit * 64)
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard (1...Self.deviceLimit).contains(lines.count) else {
            throw Failure(
                .usage,
                "tokens '\(tokens)': expected 1 to \(Self.deviceLimit) lines, got \(lines.count)")
        }
        var read: [BearerText] = []
        for (number, line) in lines.enumerated() {
            guard let token = BearerText(.enrolment, line) else {
                throw Failure(
                    .usage,
                    "tokens '\(tokens)' line \(number + 1): expected an enrolment token, got another text",
                    hint: "'fieldfare devices enrol-tokens' makes them")
            }
            read.append(token)
        }
        return read
    }

    private func context() throws(Failure) -> DriveContext {
        var settings = HTTPClientSettings()
        settings.authorities = ca ?? Environment.value("FIELDFARE_CA")
        settings.userAgent = "fieldfare-fleet"
        if let authorities = settings.authorities {
            _ = try FileBytes.read(authorities, limit: 4 << 20)
        }
        let root = try FileBytes.read(root, limit: Limits.standard.root)
        guard let model = ModelName(model) else {
            throw Failure(.usage, "--model: expected \(ModelName.expected), got '\(model)'")
        }
        guard let channel = ChannelName(channel) else {
            throw Failure(.usage, "--channel: expected \(ChannelName.expected), got '\(channel)'")
        }
        return DriveContext(
            base: server, settings: settings, root: root, model: model, channel: channel,
            regions: try names(regions, "--regions"),
            deviceClasses: try names(deviceClasses, "--device-classes"), seed: seed)
    }

    private func names(_ text: String, _ option: String) throws(Failure) -> [AttributeName] {
        let words = text.split(separator: ",").map(String.init)
        let names = words.compactMap(AttributeName.init)
        guard !names.isEmpty, names.count == words.count else {
            throw Failure(
                .usage,
                "\(option): expected \(AttributeName.expected), separated by commas, got '\(text)'")
        }
        return names
    }

    /// A descriptor for each connection.
    private func raiseDescriptorLimit(for devices: Int) throws(Failure) {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let needed = rlim_t(devices + Self.spareDescriptors)
        guard limit.rlim_cur < needed else { return }
        limit.rlim_cur = min(needed, limit.rlim_max)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur == needed else {
            throw Failure(
                .usage,
                "open files: expected a limit of \(needed) for \(devices) devices, got \(limit.rlim_max)",
                hint: "raise it by 'ulimit -n', or bring fewer tokens")
        }
    }
}
