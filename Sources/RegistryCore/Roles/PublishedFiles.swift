import Cryptography
package import Primitives
import Synchronization
import TUF

/// A file of the static tree, with what a cache needs to know of it.
package struct PublishedFile: Sendable, Hashable {
    package let bytes: [UInt8]
    /// SHA-256 of the bytes: the entity tag.
    package let sha256: SHA256Digest

    package init(bytes: [UInt8]) {
        self.bytes = bytes
        sha256 = SHA256.digest(of: bytes)
    }
}

/// The static tree that clients read: metadata byte for byte as signed, and targets by their digests.
package struct PublishedFiles: Sendable {
    private let store: LiveTimestamp
    private let blobs: any BlobStoring

    package init(store: LiveTimestamp, blobs: any BlobStoring) {
        self.store = store
        self.blobs = blobs
    }

    /// `GET /tuf/timestamp.json`, from memory; nil before the repository is complete.
    package var timestamp: PublishedFile? { store.timestamp }

    /// `GET /tuf/<version>.<role>.json`, which never changes; nil where there is none of that name.
    ///
    /// `name` is the last part of the path, with its percent-encoding as it stands.
    package func metadata(named name: String) throws(RegistryError) -> PublishedFile? {
        guard let (role, version) = Self.split(name), role != .timestamp else { return nil }
        return try store.read { (records) throws(RegistryError) in
            try records.file(role, version).map { PublishedFile(bytes: $0.bytes) }
        }
    }

    /// `GET /targets/<folder>/<sha256>.<name>`: the digest of the blob to send; nil for another path.
    ///
    /// Whoever asks knows the digest, and verifies it, so the rest of the path needs no check.
    package static func target(at path: TargetPath) -> SHA256Digest? {
        guard path.parts.count > 1, let name = path.parts.last,
            name.utf8.dropFirst(64).first == UInt8(ascii: ".")
        else { return nil }
        return SHA256Digest(hex: String(decoding: name.utf8.prefix(64), as: UTF8.self))
    }

    /// Opens a blob, for `/targets` and `/blobs/sha256`.
    package func blob(_ digest: SHA256Digest) throws(RegistryError) -> (any BlobReading)? {
        try blobs.open(digest)
    }

    /// `<version>.<role>.json`, in the one spelling that `MetadataFileName` gives it.
    private static func split(_ name: String) -> (RoleName, MetadataVersion)? {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasSuffix(".json"), let number = Int64(parts[0]),
            let version = MetadataVersion(number),
            let role = RoleName(String(parts[1].dropLast(5))),
            MetadataFileName(role, version: version).description == name
        else { return nil }
        return (role, version)
    }
}

/// A store that keeps the newest timestamp in memory, because every device asks for it all the time.
///
/// All writes of the process must go through it; it looks at each one's outcome in the same transaction.
package final class LiveTimestamp: RegistryStoring {
    private struct Held {
        let version: MetadataVersion
        let file: PublishedFile
    }

    private let store: any RegistryStoring
    private let held = Mutex<Held?>(nil)

    package init(_ store: any RegistryStoring) throws(RegistryError) {
        self.store = store
        let live = try store.read { (records) throws(RegistryError) in
            try records.live(.timestamp)
        }
        keep(live)
    }

    package var timestamp: PublishedFile? { held.withLock { $0?.file } }

    package func read<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try store.read(body)
    }

    package func write<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        let known = held.withLock { $0?.version }
        let (value, live) = try store.write {
            (records) throws(RegistryError) -> (Value, StoredRole?) in
            let value = try body(records)
            let live = try records.live(.timestamp)
            return (value, live?.version == known ? nil : live)
        }
        keep(live)
        return value
    }

    package func copy() throws(RegistryError) -> any RegistryStoring { try store.copy() }

    package func probe() throws(RegistryError) { try store.probe() }

    /// Keeps the newer of two; writes may come here in another order than they were made.
    private func keep(_ live: StoredRole?) {
        guard let live else { return }
        let new = Held(version: live.version, file: PublishedFile(bytes: live.bytes))
        held.withLock { held in
            if held.map({ $0.version < new.version }) ?? true { held = new }
        }
    }
}
