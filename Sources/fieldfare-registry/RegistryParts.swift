import BlobFiles
import Console
import Cryptography
import PosixFiles
import Primitives
import RegistryCore
import RegistryDatabase

/// The parts of a running registry, opened from its data folder; one process at a time has them.
final class RegistryParts {
    let folder: Directory
    let store: LiveTimestamp
    let blobs: BlobFolder
    let keys: OnlineKeys
    private let lock: FileLock

    init(_ settings: RegistrySettings) throws {
        guard let data = settings.data, let keyFolder = settings.keys else {
            preconditionFailure("settings were checked")
        }
        // Before the data folder, which is made where it is missing.
        self.keys = try OnlineKeyFolder(path: keyFolder).load()
        let folder = try Failure.catching("data folder '\(data)'") {
            try Directory(making: data, mode: .ownerOnly)
        }
        let lock = try Self.lock(folder)
        let store = try Failure.catching("database in '\(data)'") {
            // Under the lock: a command beside a running registry must not take a rehearsal's copy away.
            SQLiteStore.removeCopies(of: data + "/registry.sqlite")
            return try LiveTimestamp(SQLiteStore(path: data + "/registry.sqlite"))
        }
        let blobs = try Failure.catching("blobs in '\(data)'") { try BlobFolder(folder) }
        self.folder = folder
        self.store = store
        self.blobs = blobs
        self.lock = lock
    }

    /// - Throws: `Failure` `busy` where another registry runs on this folder.
    private static func lock(_ folder: Directory) throws -> FileLock {
        let name = TargetPath("registry.lock")
        guard let name, let lock = try folder.tryLock(name, .exclusive) else {
            throw Failure(
                .busy, "data folder '\(folder.path)': expected no other registry on it, got one",
                hint: "stop the other process, or give this one a folder of its own")
        }
        return lock
    }
}

/// The folder with the registry's online keys: `snapshot.key`, `timestamp.key`, `plans.key`.
struct OnlineKeyFolder {
    let path: String

    /// - Throws: `Failure` naming the file that is missing, unreadable or encrypted.
    func load() throws -> OnlineKeys {
        let folder = try Failure.catching("online keys '\(path)'") { try Directory(opening: path) }
        var keys: [OnlineKeys.Purpose: [Ed25519PrivateKey]] = [:]
        for purpose in OnlineKeys.Purpose.allCases {
            let name = "\(purpose.rawValue).key"
            keys[purpose] = try Failure.catching("online key '\(path)/\(name)'") {
                guard let file = TargetPath(name) else { return [] }
                let bytes = try folder.read(file, limit: KeyFile.byteLimit)
                return [try KeyFile(parsing: bytes).open(passphrase: nil)]
            }
        }
        return OnlineKeys(keys)
    }

    /// Makes the keys that are missing; those that are there stay as they are.
    ///
    /// - Returns: the public key of each purpose.
    func generate() throws -> [OnlineKeys.Purpose: Ed25519PublicKey] {
        let folder = try Failure.catching("online keys '\(path)'") {
            try Directory(making: path, mode: .ownerOnly)
        }
        var keys: [OnlineKeys.Purpose: Ed25519PublicKey] = [:]
        for purpose in OnlineKeys.Purpose.allCases {
            let name = "\(purpose.rawValue).key"
            keys[purpose] = try Failure.catching("online key '\(path)/\(name)'") {
                guard let file = TargetPath(name) else { preconditionFailure("a plain name") }
                if let bytes = try folder.readIfPresent(file, limit: KeyFile.byteLimit) {
                    return try KeyFile(parsing: bytes).publicKey
                }
                var random = SystemRandomNumberGenerator()
                let key = Ed25519PrivateKey(using: &random)
                let made = KeyFile(plain: key, name: purpose.rawValue)
                try folder.publish(file, made.bytes, mode: .ownerOnly)
                return key.publicKey
            }
        }
        return keys
    }
}
