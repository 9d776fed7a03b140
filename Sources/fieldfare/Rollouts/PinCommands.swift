import ArgumentParser
import Console
import CurlTransport
import PosixFiles
import Primitives
import RegistryAccess
import TUF

/// Holds one device to one version: `fieldfare rollout pin`.
struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Holds one device to one version, for some days.",
        discussion: """
            A plan names pinned devices by hashes; who answers for a pin, and why it is, stay in the registry. A version \
            whose least soak times are not over is taken by at most as many devices as its policy's max_pins says.

            EXAMPLE
              fieldfare rollout pin commands-en 3f9c0d6e2b7a41588c14e7d09f5ab263 1.0.0 --owner anna --reason "a customer's demo"
            """)

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The device, as 'devices list' shows it.")
    var device: String

    @Argument(help: "The version to hold it to.")
    var version: String

    @Option(help: "Who answers for it; at most 200 bytes.")
    var owner: String

    @Option(help: "Why, for the audit log; at most 200 bytes.")
    var reason: String

    @Option(help: "For so many days, 1 to 366, and to the end of the last (UTC).")
    var days: Int64 = 14

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let path = try PinPath.of(model, channel, device)
        let version = try Word.version(version, "version")
        guard (1...366).contains(days) else {
            throw Failure(.usage, "--days: expected 1 to 366, got \(days)")
        }
        let expires = SystemClock.now() + days * 86_400
        let body: JSON = [
            "version": .string(version.description), "expires": .integer(expires.seconds),
            "owner": .string(owner), "reason": .string(reason),
        ]
        let answer = try server.api().send(
            .put, path, body.bytes, headers: ["Content-Type": "application/json"]
        ).json()
        guard !output.isJSON else { return Output.json(answer) }
        Output.line(PinPath.line(answer))
    }
}

/// Lets a device follow its channel again: `fieldfare rollout unpin`.
struct UnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Lets a pinned device follow its channel again.",
        discussion: """
            EXAMPLE
              fieldfare rollout unpin commands-en 3f9c0d6e2b7a41588c14e7d09f5ab263
            """)

    @Argument(help: "The model.")
    var model: String

    @Argument(help: "The device.")
    var device: String

    @Option(help: "Why, for the audit log; at most 200 bytes.")
    var reason = ""

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let path = try PinPath.of(model, channel, device)
        let answer = try server.api().send(
            .delete, path + "?reason=\(PercentEncoding.encode(reason))"
        ).json()
        guard !output.isJSON else { return Output.json(answer) }
        Output.line("unpinned: \(answer["device"]?.string ?? "?")")
    }
}

/// The pins of a channel: `fieldfare rollout pins`.
struct PinsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pins", abstract: "Lists pinned devices, with owner and reason.",
        discussion: """
            EXAMPLE
              fieldfare rollout pins commands-en
            """)

    @Argument(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let line = "\(try Word.model(model))/\(try Word.channel(channel))"
        let answer = try server.api().get("/v1/rollouts/\(line)/pins")
        guard !output.isJSON else { return Output.json(answer) }
        for pin in answer["pins"]?.array ?? [] { Output.line(PinPath.line(pin)) }
    }
}

/// Where a pin is, and how it is told.
enum PinPath {
    static func of(
        _ model: String, _ channel: String, _ device: String
    ) throws(Failure) -> String {
        let line = "\(try Word.model(model))/\(try Word.channel(channel))"
        return "/v1/rollouts/\(line)/pins/\(try Word.device(device))"
    }

    static func line(_ pin: JSON) -> String {
        let expires = UTCTime(clamping: pin["expires"]?.integer ?? 0)
        return
            "\(pin["device"]?.string ?? "?")  \(pin["bundle"]?["version"]?.string ?? "?")"
            + "  until \(expires)  \(pin["owner"]?.string?.visible ?? "?"): \(pin["reason"]?.string?.visible ?? "?")"
    }
}
