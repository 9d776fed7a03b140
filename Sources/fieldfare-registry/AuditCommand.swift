import ArgumentParser
import Console
import Primitives
import RegistryCore
import RegistryDatabase

/// The command `fieldfare-registry audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks the audit log.",
        discussion: """
            EXAMPLE
              fieldfare-registry audit verify --data data
            """,
        subcommands: [Verify.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Goes through the hash chain from the first record to the last.",
            discussion: """
                Prints number and hash of the newest record: kept elsewhere, it shows later whether records were cut \
                off at the end. Fails at the first record that does not fit.

                EXAMPLE
                  fieldfare-registry audit verify --data data
                """)

        @Option(help: "The data folder.")
        var data: String

        func run() async throws {
            let path = data + "/registry.sqlite"
            guard try FileBytes.exists(path) else {
                throw Failure(.failed, "database '\(path)': expected one, got none")
            }
            try Failure.catching("audit log in '\(data)'") {
                let store = try SQLiteStore(path: path)
                let head = try AuditLog(store: store).verify()
                Output.json([
                    "type": "audit_head", "number": .integer(head?.number ?? 0),
                    "hash": head.map { .string($0.hash.hex) } ?? .null,
                ])
            }
        }
    }
}
