import Cryptography
package import Primitives
import TUF

/// Whether the registry can do its work now: `GET /readyz`.
package struct Readiness: Sendable {
    /// Metadata that expires within this many seconds is a problem: an hour.
    static let margin: Int64 = 3_600

    private let store: any RegistryStoring
    private let blobs: any BlobStoring
    private let keys: OnlineKeys

    package init(store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys) {
        self.store = store
        self.blobs = blobs
        self.keys = keys
    }

    /// All that stands in the way; none where the registry is ready.
    ///
    /// It writes to store and disk to find out.
    package func problems(at now: UTCTime) -> [String] {
        var problems = keys.missing.map { "online key '\($0.rawValue)': expected one, got none" }
        do {
            try store.probe()
            problems += try store.read { (records) throws(RegistryError) in
                try Self.expiring(in: records, at: now)
            }
        } catch {
            problems.append(error.description)
        }
        do { try probeBlobs() } catch { problems.append("blobs: \(error)") }
        return problems
    }

    /// Begins an upload that cannot become a blob, writes a byte of it, and sees it go.
    private func probeBlobs() throws(RegistryError) {
        let never = SHA256.digest(of: Array("fieldfare.probe".utf8))
        let upload = Upload(sha256: never, length: 1, owner: .registry)
        let reached = try blobs.begin(upload)
        if reached == 0 { _ = try blobs.append([0], to: upload, at: 0) }
        do { try blobs.finish(upload) } catch .digestMismatch {
            return
        }
        throw .storage("a blob of one zero byte passed for another")
    }

    private static func expiring(
        in records: any MetadataStoring, at now: UTCTime
    ) throws(RegistryError) -> [String] {
        let repository = try LiveRepository(records)
        guard repository.isComplete else { return ["\(RegistryError.noRepository)"] }
        let root = repository.root?.content.expires
        let targets = repository.targets?.content.expires
        let snapshot: Draft<Snapshot>? = try LiveRepository.draft(.snapshot, in: records)
        let timestamp: Draft<Timestamp>? = try LiveRepository.draft(.timestamp, in: records)
        let all: [(String, UTCTime?)] = [
            ("root", root), ("targets", targets), ("snapshot", snapshot?.content.expires),
            ("timestamp", timestamp?.content.expires),
        ]
        return all.compactMap { role, expires in
            guard let expires else { return "role '\(role)': expected live metadata, got none" }
            guard expires <= now + margin else { return nil }
            return "role '\(role)': expected metadata that lives another hour, got until \(expires)"
        }
    }
}
