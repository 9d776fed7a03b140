package import PosixFiles
package import Primitives
package import RegistryCore
import Synchronization

/// Blobs in a folder: `blobs/<2 hex>/<64 hex>`, and uploads on their way in `uploads/<name>`.
///
/// The system calls of an upload, in order, and what a crash after each leaves:
///
///     openat(uploads/<name>, O_CREAT | O_EXCL), fallocate     an empty upload, resumed at 0
///     pwrite(chunk), fsync                                    all whole chunks, resumed after them
///     renameat(uploads/<name> -> blobs/<2>/<64>)              upload or blob, whole
///     fsync(blobs/<2>), fsync(uploads)                        blob
///
/// Several may send the same upload at the same time: one of two equal chunks is refused by its offset, and whoever
/// finishes second finds the blob.
///
/// The digest is worked out while the bytes arrive; after a restart the kept part is read once to catch up.
/// One process at a time uses the folder; whoever starts that process sees to it.
package final class BlobFolder: BlobStoring {
    /// Uploads whose digest is kept in memory; others are hashed again when they go on.
    private static let openLimit = 1_024

    private let folder: Directory
    private let blobs: Directory
    private let uploads: Directory
    private let open = Mutex<[Upload: OpenUpload]>([:])
    /// Held while a blob gets its name: who sees a blob and has then held this knows that it is durable.
    private let placing = Mutex<Void>(())

    /// Opens the store in a folder, which is made where it is missing.
    package init(_ folder: Directory) throws(RegistryError) {
        self.folder = folder
        do {
            blobs = try folder.makeFolders(Self.path("blobs"))
            uploads = try folder.makeFolders(Self.path("uploads"), mode: .ownerOnly)
        } catch {
            throw RegistryError(error)
        }
    }

    // MARK: Uploads

    package func begin(_ upload: Upload) throws(RegistryError) -> Int64 {
        try resumed(upload, making: true)?.reached ?? 0
    }

    package func reached(_ upload: Upload) throws(RegistryError) -> Int64? {
        try resumed(upload, making: false)?.reached
    }

    package func append(
        _ bytes: [UInt8], to upload: Upload, at offset: Int64
    ) throws(RegistryError) -> Int64 {
        guard let open = try resumed(upload, making: false) else {
            throw .notFound("upload", upload.description)
        }
        return try open.append(bytes, at: offset)
    }

    package func finish(_ upload: Upload) throws(RegistryError) {
        guard let open = try resumed(upload, making: false) else {
            throw .notFound("upload", upload.description)
        }
        let name = Self.path(upload.description)
        do {
            try open.verify()
        } catch .digestMismatch(let expected, let found) {
            try drop(upload)
            throw .digestMismatch(expected: expected, found: found)
        }
        do {
            try placing.withLock { (_) throws(FileError) in try publish(name, upload.sha256) }
        } catch {
            if case .exists = error { return try drop(upload) }
            // Who sends the same file at the same time may have finished it just before.
            guard error.isNotFound, try self.open(upload.sha256) != nil else {
                throw RegistryError(error)
            }
        }
        self.open.withLock { $0[upload] = nil }
    }

    private func publish(_ name: TargetPath, _ digest: SHA256Digest) throws(FileError) {
        let shard = Self.shard(of: digest)
        try blobs.makeFolders(Self.path(shard))
        try folder.rename(
            Self.path("uploads/\(name)"), to: Self.path("blobs/\(shard)/\(digest.hex)"),
            isNew: true)
    }

    private func drop(_ upload: Upload) throws(RegistryError) {
        open.withLock { $0[upload] = nil }
        do { _ = try uploads.removeFile(Self.path(upload.description)) } catch {
            throw RegistryError(error)
        }
    }

    package func dropUploads(idleSince moment: UTCTime) throws(RegistryError) -> Int {
        var count = 0
        do {
            for entry in try uploads.list() {
                guard let upload = Upload(entry.name), let path = TargetPath(entry.name),
                    let status = try uploads.status(path),
                    status.modifiedNanoseconds / 1_000_000_000 < moment.seconds
                else { continue }
                open.withLock { $0[upload] = nil }
                if try uploads.removeFile(path) { count += 1 }
            }
        } catch {
            throw RegistryError(error)
        }
        return count
    }

    /// The open upload, found in memory or on disk; nil where there is none and none is to be made.
    private func resumed(
        _ upload: Upload, making: Bool
    ) throws(RegistryError) -> OpenUpload? {
        if let known = open.withLock({ $0[upload] }) { return known }
        let path = Self.path(upload.description)
        let found: OpenUpload
        do {
            guard let file = try openFile(path, length: upload.length, making: making) else {
                return nil
            }
            found = try OpenUpload(upload, file)
        } catch {
            throw RegistryError(error)
        }
        return open.withLock { known in
            if let other = known[upload] { return other }
            if known.count >= Self.openLimit, let some = known.keys.first { known[some] = nil }
            known[upload] = found
            return found
        }
    }

    /// Opens an upload's file; a new one has its disk blocks reserved, or leaves no trace.
    private func openFile(
        _ path: TargetPath, length: Int64, making: Bool
    ) throws(FileError) -> OpenFile? {
        do {
            return try uploads.open(path, .writing)
        } catch {
            guard error.isNotFound else { throw error }
            guard making else { return nil }
        }
        let file: OpenFile
        do {
            file = try uploads.open(path, .makingNew(.shared))
        } catch .exists {
            // Who sends the same file at the same time was faster.
            return try uploads.open(path, .writing)
        }
        do {
            try file.reserve(length)
            try uploads.sync()
        } catch {
            _ = try? uploads.removeFile(path)
            throw error
        }
        return file
    }

    // MARK: Blobs

    package func open(_ digest: SHA256Digest) throws(RegistryError) -> (any BlobReading)? {
        let path = Self.path("\(Self.shard(of: digest))/\(digest.hex)")
        do {
            let file = try blobs.open(path, .reading)
            placing.withLock { _ in }
            return OpenBlob(file: file, length: try file.size())
        } catch {
            if error.isNotFound { return nil }
            throw RegistryError(error)
        }
    }

    /// 256 folders keep each of them small.
    private static func shard(of digest: SHA256Digest) -> String {
        Hex.encode(digest.bytes.prefix(1))
    }

    private static func path(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else { preconditionFailure("'\(text)' is a safe path") }
        return path
    }
}
