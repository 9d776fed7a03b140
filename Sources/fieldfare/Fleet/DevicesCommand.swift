import ArgumentParser
import Console
import CurlTransport
import Primitives
import RegistryAccess
import TUF

/// The fleet: `fieldfare devices`.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Shows devices, lets new ones enrol, and revokes them.",
        discussion: """
            EXAMPLE
              fieldfare devices list
              fieldfare devices enrol-tokens --count 20
              fieldfare devices revoke 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5 --reason sold
            """,
        subcommands: [List.self, Show.self, EnrolTokens.self, Revoke.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the devices.",
            discussion: """
                EXAMPLE
                  fieldfare devices list --json
                """)

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let api = try server.api()
            var table = Table(["device", "cohort", "version", "state", "heard"])
            var after: String?
            while true {
                let query = after.map { "&after=\($0)" } ?? ""
                let page = try api.get("/v1/devices?limit=1000\(query)")["devices"]?.array ?? []
                for device in page {
                    if output.isJSON { Output.json(device) } else { table.add(Self.row(device)) }
                }
                guard page.count == 1_000, let last = page.last?["device"]?.string else { break }
                after = last
            }
            guard !output.isJSON else { return }
            for line in table.lines { Output.line(line) }
        }

        private static func row(_ device: JSON) -> [String] {
            let attributes = device["attributes"]
            let model = device["models"]?.array?.first
            return [
                device["device"]?.string ?? "?",
                "\(attributes?["region"]?.string ?? "?")/\(attributes?["device_class"]?.string ?? "?")",
                model?["version"]?.string ?? "-", model?["state"]?.string ?? "enrolled",
                device["heard_age_s"]?.integer.map { "\($0) s ago" } ?? "never",
            ]
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one device.",
            discussion: """
                EXAMPLE
                  fieldfare devices show 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5
                """)

        @Argument(help: "The device id.")
        var device: String

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let answer = try server.api().get("/v1/devices/\(Word.device(device))")
            if output.isJSON { Output.json(answer) } else { Output.bytes(answer.prettyBytes) }
        }
    }

    struct EnrolTokens: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes one-time tokens, each good for one device.",
            discussion: """
                EXAMPLE
                  fieldfare devices enrol-tokens --count 20 --expires 86400
                """)

        @Option(help: "How many.")
        var count: Int64 = 1

        @Option(help: "Seconds until they expire.")
        var expires: Int64 = 86_400

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let answer = try server.api().post(
                "/v1/enrolments", ["count": .integer(count), "expires_s": .integer(expires)])
            guard !output.isJSON else { return Output.json(answer) }
            for token in answer["tokens"]?.array?.compactMap(\.string) ?? [] { Output.line(token) }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets a device, and takes no further report from it.",
            discussion: """
                All rows of the device are deleted; the audit log keeps who did it, when and why. The
                device's model runs on. To come back it needs a new key and a new token.

                EXAMPLE
                  fieldfare devices revoke 3f0c6e1f9a2b4c5d6e7f8091a2b3c4d5 --reason sold
                """)

        @Argument(help: "The device id.")
        var device: String

        @Option(help: "Why; at most 200 bytes, goes to the audit log.")
        var reason = ""

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let id = try Word.device(device)
            let path = "/v1/devices/\(id)?reason=\(PercentEncoding.encode(reason))"
            let answer = try server.api().send(.delete, path).json()
            if output.isJSON { Output.json(answer) } else { Output.line("\(id): revoked") }
        }
    }
}
