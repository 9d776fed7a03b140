import AgentCore
package import PosixFiles
package import Primitives
package import TUF

/// Trusted metadata in a folder, one file a role, each replaced durably; the agent's is in its state directory.
package struct MetadataFolder: MetadataStoring, Sendable {
    let folder: Directory

    package init(_ folder: Directory) { self.folder = folder }

    package func load(_ name: MetadataFileName, limit: Int) throws(FileError) -> [UInt8]? {
        do { return try folder.readIfPresent(try path(name), limit: limit) } catch {
            if case .tooLarge = error { return nil }
            throw error
        }
    }

    package func store(_ bytes: [UInt8], as name: MetadataFileName) throws(FileError) {
        try folder.replace(try path(name), with: bytes, mode: .ownerOnly)
    }

    package func remove(_ name: MetadataFileName) throws(FileError) {
        try folder.removeFile(try path(name))
    }

    private func path(_ name: MetadataFileName) throws(FileError) -> TargetPath {
        guard let path = TargetPath(name.description) else {
            throw .notFound(.open, path: name.description)
        }
        return path
    }
}

/// Verified targets in a folder of the state directory, each under its digest; losing one costs a download.
package struct TargetFolder: TargetCaching, Sendable {
    let folder: Directory

    package init(_ folder: Directory) { self.folder = folder }

    package func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? {
        guard let path = TargetPath(digest.hex) else { return nil }
        return try? folder.readIfPresent(path, limit: limit)
    }

    package func keep(_ bytes: [UInt8], as digest: SHA256Digest) {
        guard let path = TargetPath(digest.hex) else { return }
        // Best effort by contract: without it the next poll downloads again.
        try? folder.replace(path, with: bytes, mode: .ownerOnly)
    }

    package func retain(only digests: Set<SHA256Digest>) {
        guard let entries = try? folder.list(limit: 10_000) else { return }
        for entry in entries {
            guard let digest = SHA256Digest(hex: entry.name), !digests.contains(digest),
                let path = TargetPath(entry.name)
            else { continue }
            _ = try? folder.removeFile(path)
        }
    }
}
