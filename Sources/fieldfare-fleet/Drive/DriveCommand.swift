import ArgumentParser
import Console
import PosixFiles
import Primitives
import RegistryAccess
import RegistryCore
import TUF

/// The command `fieldfare-fleet drive`.
struct DriveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drive",
        abstract: "Drives many devices over HTTPS against a running registry.",
        discussion: """
            Each device has a key of its own, enrols with a token, keeps its TLS connection open, verifies metadata from \
            the root that --root names, decides by the agent's own rules what to run, and sends signed reports. What it is \
            used for is made up, and bundles are neither fetched nor run. Afterwards the registry must know every device, \
            and have counted every report: let nobody else report to it meanwhile.

            Enrolment tokens come from --tokens, or are made by the operator's token of --token-file or FIELDFARE_TOKEN, \
            which needs the scopes operate and read. The model needs a plan: start a rollout before.

            Exit code 1: a request failed, an answer was not to be trusted, or the registry does not say the same.

            EXAMPLE
              fieldfare-fleet drive --model commands-en --root root.json --devices 2000 --rounds 5
            """)

    @OptionGroup var server: ServerOptions

    @Option(help: "A file with enrolment tokens, one a line, as many as devices.")
    var tokens: String?

    @Option(help: "A root that the devices trust, of any version; otherwise FIELDFARE_ROOT.")
    var root: String?

    @Option(help: "The model that the devices follow.")
    var model: String

    @Option(help: "The channel that they follow.")
    var channel = "main"

    @Option(help: "How many devices, at most 10000.")
    var devices = 2_000

    @Option(help: "How often each polls and reports.")
    var rounds = 5

    @Option(help: "How many requests are under way at once.")
    var atOnce = 32

    @Option(help: "A region of the devices; several are dealt out in turn.")
    var region: [String] = ["eu"]

    @Option(help: "A device class; several are dealt out in turn.")
    var deviceClass: [String] = ["hub"]

    @Option(help: "The devices' locale.")
    var locale = "en-GB"

    @Flag(help: "Prints one JSON object.")
    var json = false

    func validate() throws {
        func expect(_ name: String, _ range: ClosedRange<Int>, _ value: Int) throws {
            guard range.contains(value) else {
                throw ValidationError(
                    "expected \(name) of \(range.lowerBound) to \(range.upperBound), got \(value)")
            }
        }
        try expect("--devices", 1...Enrolments.countLimit, devices)
        try expect("--rounds", 1...10_000, rounds)
        try expect("--at-once", 1...512, atOnce)
    }

    func run() throws {
        let address = try server.address()
        let line = try line(address)
        let attributes = try attributes()
        let desk = DriveDesk(registry: RegistryAPI(address, userAgent: DriveLine.userAgent))
        try OpenFiles.allow(Drive.openFiles(devices))
        let tokens = try enrolmentTokens(desk)
        let drive = Drive(line: line, rounds: rounds, lanes: min(atOnce, devices))
        let report = try drive.run(attributes, tokens, desk)
        if json {
            Output.json(report.json)
        } else {
            for line in report.lines { Output.line(line) }
        }
        guard report.problems.isEmpty else {
            throw Failure(.failed, "drive: " + report.problems.joined(separator: "\n  "))
        }
    }

    private func line(_ registry: RegistryAddress) throws(Failure) -> DriveLine {
        guard let path = root ?? Environment.value("FIELDFARE_ROOT") else {
            throw Failure(.usage, "root of trust: expected --root or FIELDFARE_ROOT, got neither")
        }
        let trusted = try FileBytes.read(path, limit: Limits.standard.root)
        try Failure.catching("root of trust '\(path)'", .refused) {
            _ = try Verifier(start: SystemClock.now()).initialRoot(trusted)
        }
        return DriveLine(
            registry: registry, trustedRoot: trusted,
            model: try read(model, "--model", ModelName.expected, ModelName.init),
            channel: try read(channel, "--channel", ChannelName.expected, ChannelName.init))
    }

    private func enrolmentTokens(_ desk: DriveDesk) throws(Failure) -> [BearerText] {
        guard let tokens else {
            guard desk.hasToken else {
                throw Failure(
                    .usage, "tokens: expected --tokens, --token-file or FIELDFARE_TOKEN, got none")
            }
            return try desk.enrolmentTokens(devices)
        }
        let bytes = try FileBytes.read(tokens, limit: 1 << 20)
        var found: [BearerText] = []
        for (index, line) in bytes.split(whereSeparator: { $0 <= 0x20 }).enumerated() {
            // The text is a secret, and in no message.
            guard let token = BearerText(.enrolment, String(decoding: line, as: UTF8.self)) else {
                throw Failure(
                    .usage, "file '\(tokens)': expected an enrolment token, got another text",
                    hint: "it is the \(index + 1). word")
            }
            found.append(token)
        }
        guard found.count >= devices else {
            throw Failure(
                .usage, "file '\(tokens)': expected \(devices) tokens, got \(found.count)",
                hint: "'fieldfare devices enrol-tokens --count \(devices)' makes them")
        }
        return Array(found.prefix(devices))
    }

    /// What each device is: every region meets every class.
    private func attributes() throws(Failure) -> [DeviceAttributes] {
        let regions = try names(region, "--region")
        let classes = try names(deviceClass, "--device-class")
        let locale = try names([locale], "--locale")[0]
        return (0..<devices).map { index in
            DeviceAttributes(
                number: 1, region: regions[index % regions.count],
                deviceClass: classes[index / regions.count % classes.count], locale: locale)
        }
    }

    private func names(_ texts: [String], _ name: String) throws(Failure) -> [AttributeName] {
        var names: [AttributeName] = []
        for text in texts {
            names.append(try read(text, name, AttributeName.expected, AttributeName.init))
        }
        return names
    }

    private func read<Value>(
        _ text: String, _ name: String, _ expected: String, _ parse: (String) -> Value?
    ) throws(Failure) -> Value {
        guard let value = parse(text) else {
            throw Failure(.usage, "\(name): expected \(expected), got '\(text)'")
        }
        return value
    }
}
