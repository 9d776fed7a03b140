import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives
import TUF

/// `fieldfare repo init`: root and targets, unsigned.
struct RepositoryInitialise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes the first root and targets, to be signed.",
        discussion: """
            EXAMPLE
              fieldfare repo init --dir repo --root-key a.json --root-key b.json --root-key c.json \\
                  --targets-key t.json --online online-keys.json \\
                  --model commands-en --release-key ci.json --release-key anna.json --release-threshold 2
              fieldfare repo sign root --dir repo --key a.json
              fieldfare repo sign root --dir repo --key b.json
              fieldfare repo sign targets --dir repo --key t.json
              fieldfare repo push --dir repo
            """)

    @Option(help: "The folder of the ceremony; made where it is missing.")
    var dir: String

    @Option(help: "A root key file; repeat it, three times as a rule.")
    var rootKey: [String]

    @Option(help: "How many root keys must sign.")
    var rootThreshold: Int = 2

    @Option(help: "A targets key file; may be repeated.")
    var targetsKey: [String]

    @Option(help: "How many targets keys must sign.")
    var targetsThreshold: Int = 1

    @Option(help: "What 'fieldfare-registry keys generate' printed.")
    var online: String

    @Option(help: "A model; its release keys follow.")
    var model: String

    @Option(help: "A release key file of the model; may be repeated.")
    var releaseKey: [String]

    @Option(help: "How many release keys must sign.")
    var releaseThreshold: Int = 1

    @Option(help: "Days until root and targets expire.")
    var days: Int64 = 365

    @OptionGroup var output: OutputOptions

    func run() throws {
        let name = try Word.model(model, "--model")
        guard (1...3_650).contains(days) else {
            throw Failure(.usage, "--days: expected 1 to 3650, got \(days)")
        }
        let online = try OnlinePublicKeys(file: online)
        let layout = RepositoryLayout(
            root: try Self.holders(rootKey, rootThreshold, "root"),
            targets: try Self.holders(targetsKey, targetsThreshold, "targets"),
            snapshot: KeyHolders([online.snapshot]), timestamp: KeyHolders([online.timestamp]))
        let model = RepositoryLayout.Model(
            name: name, releases: try Self.holders(releaseKey, releaseThreshold, "release"),
            plans: KeyHolders([online.plans]))
        let expires = SystemClock.now() + days * 86_400
        let root = Draft(layout.firstRoot(expires: expires), of: .root)
        let targets = Draft(
            RepositoryLayout.firstTargets(models: [model], expires: expires), of: .targets)
        try Failure.revising { () throws(RevisionError) in
            try RepositoryRevision(root: root.content, targets: targets.content).checkDuties()
        }
        let files = [("root.json", root.bytes), ("targets.json", targets.bytes)]
        for (file, _) in files where try FileBytes.exists("\(dir)/\(file)") {
            throw Failure(.refused, "'\(dir)/\(file)': expected none yet, got one")
        }
        for (file, bytes) in files { try FileBytes.write(bytes, to: "\(dir)/\(file)") }
        if output.isJSON {
            Output.json([
                "type": "repository", "dir": .string(dir), "expires": .string(expires.description),
            ])
        } else {
            Output.line(
                "wrote \(dir)/root.json and \(dir)/targets.json; sign them with 'fieldfare repo sign'"
            )
        }
    }

    static func holders(
        _ files: [String], _ threshold: Int, _ what: String
    ) throws(Failure) -> KeyHolders {
        var keys: [Ed25519PublicKey] = []
        for file in files {
            let key = try KeyFile.read(at: file).publicKey
            guard !keys.contains(key) else {
                throw Failure(.usage, "\(what) keys: expected each once, got '\(file)' again")
            }
            keys.append(key)
        }
        guard let needed = Threshold(threshold), needed.count <= keys.count else {
            throw Failure(
                .usage, "\(what) threshold: expected 1 to \(keys.count), got \(threshold)")
        }
        return KeyHolders(keys, threshold: needed)
    }
}

/// The public halves of a registry's own keys.
struct OnlinePublicKeys {
    let snapshot: Ed25519PublicKey
    let timestamp: Ed25519PublicKey
    let plans: Ed25519PublicKey

    init(file path: String) throws(Failure) {
        let bytes = try FileBytes.read(path, limit: 16 << 10)
        let read = Result { () throws -> [Ed25519PublicKey] in
            var fields = try Fields(JSON(parsing: bytes, limit: bytes.count))
            var keys = try fields.fields("keys")
            return try ["snapshot", "timestamp", "plans"].map { purpose in
                var key = try keys.fields(purpose)
                return try key.parse(
                    "public", Ed25519PublicKey.expected, Ed25519PublicKey.init(hex:))
            }
        }
        switch read {
        case .success(let keys): (snapshot, timestamp, plans) = (keys[0], keys[1], keys[2])
        case .failure(let error): throw Failure(.failed, "online keys '\(path)': \(error)")
        }
    }
}
