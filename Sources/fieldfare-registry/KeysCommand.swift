import ArgumentParser
import Console
import Cryptography
import Primitives
import RegistryCore

/// The command `fieldfare-registry keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes the keys with which the registry signs by itself.",
        discussion: """
            EXAMPLE
              fieldfare-registry keys generate --keys online-keys
            """,
        subcommands: [Generate.self])

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes snapshot.key, timestamp.key and plans.key where they are missing.",
            discussion: """
                Prints the public halves as one line of JSON; the key ceremony ('fieldfare repo init') puts them \
                into the root. The files are readable by their owner alone and not encrypted: a service that \
                starts by itself has nobody to ask for a passphrase.

                EXAMPLE
                  fieldfare-registry keys generate --keys online-keys
                """)

        @Option(help: "The folder for the key files.")
        var keys: String

        func run() async throws {
            let made = try FileBytes.making(keys) { () throws(Failure) in
                try Failure.catching("online keys '\(keys)'") {
                    try OnlineKeyFolder(path: keys).generate()
                }
            }
            let pairs = made.map { purpose, key in
                (
                    purpose.rawValue,
                    JSON.object([
                        "keyid": .string(key.keyID.description),
                        "public": .string(Hex.encode(key.bytes)),
                    ])
                )
            }
            Output.json([
                "type": "online_keys",
                "keys": .object(JSONObject(pairs)),
            ])
        }
    }
}
