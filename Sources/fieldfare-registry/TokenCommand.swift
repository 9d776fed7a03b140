import ArgumentParser
import Console
import PosixFiles
import Primitives
import RegistryCore
import RegistryDatabase

/// The command `fieldfare-registry token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes the first token, on the registry's own machine.",
        discussion: """
            EXAMPLE
              fieldfare-registry token create --data data --scope admin
            """,
        subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token, and prints it once.",
            discussion: """
                Writes to the store directly, so whoever may read the data folder may do this; the registry may be \
                running. Further tokens are made with 'fieldfare token create'.

                EXAMPLE
                  fieldfare-registry token create --data data --name first --scope admin
                """)

        @Option(help: "The data folder.")
        var data: String

        @Option(help: "What people call it.")
        var name = "first"

        @Option(help: "A scope, such as admin or publish:commands-en; may be repeated.")
        var scope: [String]

        @Option(help: "Seconds until it expires; without it, never.")
        var expires: Int64?

        func run() async throws {
            let scopes = try scope.map { text in
                guard let scope = Scope(text) else {
                    throw Failure(.usage, "scope: expected \(Scope.expected), got '\(text)'")
                }
                return scope
            }
            // Before the data folder, which is made where it is missing.
            try Failure.catching("token", .usage) {
                try Tokens.check(name: name, scopes: scopes, life: expires)
            }
            let made = try FileBytes.makingWhole(data) { (folder) throws(Failure) in
                try Failure.catching("token") {
                    _ = try Directory(making: folder, mode: .ownerOnly)
                    let store = try SQLiteStore(path: folder + "/registry.sqlite")
                    var random = SystemRandomNumberGenerator()
                    return try Tokens(store: store).make(
                        name: name, scopes: scopes, life: expires, by: nil,
                        at: SystemClock.now(), using: &random)
                }
            }
            Output.json([
                "type": "token", "id": .string(made.record.id.description),
                "name": .string(name), "token": .string(made.text.text),
            ])
        }
    }
}
