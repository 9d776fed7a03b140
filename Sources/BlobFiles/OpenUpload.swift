import Cryptography
import PosixFiles
import Primitives
import RegistryCore
import Synchronization

/// An upload's file with the digest of what has arrived; its mutex puts its users in order.
final class OpenUpload: Sendable {
    /// What the digest has seen; a length beyond it is hashed when it is needed.
    private struct Progress: ~Copyable {
        var reached: Int64
        var hashed: Int64
        var digest: SHA256
    }

    private static let blockLength: Int64 = 1 << 20

    private let upload: Upload
    private let file: OpenFile
    private let progress: Mutex<Progress>

    /// Takes up a file with whatever it has; what is more than the upload's length is cut off.
    init(_ upload: Upload, _ file: OpenFile) throws(FileError) {
        self.upload = upload
        self.file = file
        var size = try file.size()
        if size > upload.length {
            try file.truncate(to: upload.length)
            size = upload.length
        }
        progress = Mutex(Progress(reached: size, hashed: 0, digest: SHA256()))
    }

    var reached: Int64 { progress.withLock { $0.reached } }

    func append(_ bytes: [UInt8], at offset: Int64) throws(RegistryError) -> Int64 {
        try progress.withLock { (progress) throws(RegistryError) -> Int64 in
            guard offset == progress.reached else {
                throw .offsetConflict(reached: progress.reached, offered: offset)
            }
            let end = offset + Int64(bytes.count)
            guard end <= upload.length else {
                throw .tooLarge("upload", limit: upload.length, found: end)
            }
            do throws(FileError) {
                try catchUp(&progress)
                try file.write(bytes, at: offset)
                try file.sync()
            } catch {
                // What was written in part must not count as arrived.
                try? file.truncate(to: offset)
                throw RegistryError(error)
            }
            progress.digest.update(bytes)
            progress.reached = end
            progress.hashed = end
            return end
        }
    }

    /// - Throws: `.offsetConflict` where bytes are missing; `.digestMismatch`.
    func verify() throws(RegistryError) {
        let found = try progress.withLock { (progress) throws(RegistryError) -> SHA256Digest in
            guard progress.reached == upload.length else {
                throw .offsetConflict(reached: progress.reached, offered: upload.length)
            }
            do throws(FileError) {
                try catchUp(&progress)
                try file.sync()
            } catch {
                throw RegistryError(error)
            }
            // The digest is used up by finishing; who asks again hashes again.
            var digest = SHA256()
            swap(&digest, &progress.digest)
            progress.hashed = 0
            return digest.finish()
        }
        guard found == upload.sha256 else {
            throw .digestMismatch(expected: upload.sha256, found: found)
        }
    }

    /// Hashes what is in the file and has not been hashed: after a restart, the kept part.
    private func catchUp(_ progress: inout Progress) throws(FileError) {
        while progress.hashed < progress.reached {
            let end = min(progress.hashed + Self.blockLength, progress.reached)
            progress.digest.update(try file.read(progress.hashed..<end))
            progress.hashed = end
        }
    }
}
