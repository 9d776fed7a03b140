import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives

/// Makes, shows and exchanges keys: `fieldfare keys`.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes, shows and exchanges signing keys.",
        discussion: """
            EXAMPLE
              fieldfare keys generate release-anna --out keys
              fieldfare keys list --dir keys
            """,
        subcommands: [
            Generate.self, Show.self, List.self, KeysExternal.self, KeysRotate.self,
            KeysRevoke.self,
        ])

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an Ed25519 key in an encrypted file.",
            discussion: """
                The private part is encrypted with a passphrase (argon2id and a secret box). The file is never \
                overwritten.

                EXAMPLE
                  fieldfare keys generate release-anna --out keys
                """)

        @Argument(help: "What people call the key; also the file's name, without .json.")
        var name: String

        @Option(help: "The folder for the file.")
        var out = "."

        @Flag(help: "Do not encrypt: for keys that a service loads by itself.")
        var plain = false

        @OptionGroup var passphrase: PassphraseOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            _ = try KeysCommand.path(name)
            let secret = plain ? nil : try passphrase.newPassphrase(for: "the new key '\(name)'")
            if let secret, secret.count < 8 {
                throw Failure(.usage, "passphrase: expected at least 8 bytes, got \(secret.count)")
            }
            let file = try make(secret)
            try KeysCommand.write(file, in: out, output)
        }

        private func make(_ secret: [UInt8]?) throws(Failure) -> KeyFile {
            var random = SystemRandomNumberGenerator()
            let key = Ed25519PrivateKey(using: &random)
            guard let secret else { return KeyFile(plain: key, name: name) }
            do {
                return try KeyFile(
                    encrypting: key, name: name, passphrase: secret, using: &random)
            } catch {
                throw Failure(.failed, "key '\(name)': \(error)")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the public part of key files; asks for no passphrase.",
            discussion: """
                EXAMPLE
                  fieldfare keys show keys/release-anna.json --json
                """)

        @Argument(help: "Key files.")
        var files: [String]

        @OptionGroup var output: OutputOptions

        func run() throws {
            for path in files { KeysCommand.show(try KeyFile.read(at: path), at: path, output) }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the key files in a folder.",
            discussion: """
                EXAMPLE
                  fieldfare keys list --dir keys
                """)

        @Option(help: "The folder.")
        var dir = "."

        @OptionGroup var output: OutputOptions

        func run() throws {
            let names = try Failure.catching("folder '\(dir)'") {
                try Directory(opening: dir).list().map(\.name).filter { $0.hasSuffix(".json") }
            }
            for name in names.sorted() {
                let path = "\(dir)/\(name)"
                do throws(Failure) {
                    KeysCommand.show(try KeyFile.read(at: path), at: path, output)
                } catch {
                    Output.note("not a key file: \(error.text)")
                }
            }
        }
    }

    private static func path(_ name: String) throws(Failure) -> TargetPath {
        guard let path = TargetPath(name + ".json"), path.parts.count == 1,
            name.utf8.count <= KeyFile.nameLimit, !name.isEmpty, name.visible == name
        else {
            throw Failure(.usage, "key name: expected one that can be a file name, got '\(name)'")
        }
        return path
    }

    /// Writes a new key file under its name, and shows it.
    static func write(
        _ file: KeyFile, in out: String, _ output: OutputOptions
    ) throws(Failure) {
        let path = try path(file.name)
        try FileBytes.making(out) { () throws(Failure) in
            try Failure.catching("key file '\(out)/\(path)'") {
                let folder = try Directory(making: out, mode: .ownerOnly)
                guard try folder.status(path) == nil else {
                    throw Failure(
                        .refused, "key file '\(out)/\(path)': expected none yet, got one")
                }
                try folder.publish(path, file.bytes, mode: .ownerOnly)
            }
        }
        show(file, at: "\(out)/\(path)", output)
    }

    private static func show(_ file: KeyFile, at path: String, _ output: OutputOptions) {
        if output.isJSON {
            Output.json([
                "type": "key", "name": .string(file.name), "path": .string(path),
                "keyid": .string(file.keyID.description),
                "public": .string(Hex.encode(file.publicKey.bytes)),
                "encrypted": .bool(file.isEncrypted), "protection": .string(file.protection),
            ])
        } else {
            let mark = file.external.map { "  (held by \($0.words[0]))" } ?? "  (not encrypted)"
            Output.line(
                "\(file.keyID)  \(file.name)  \(path)\(file.isEncrypted ? "" : mark)")
        }
    }
}
