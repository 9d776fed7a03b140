import Cryptography
package import Primitives
import Synchronization

/// Blobs that are read through from a store, and written to memory only.
package final class OverlayBlobs: BlobStoring {
    private let below: any BlobStoring
    private let written = Mutex<[SHA256Digest: [UInt8]]>([:])

    package init(over below: any BlobStoring) { self.below = below }

    package func begin(_ upload: Upload) throws(RegistryError) -> Int64 { 0 }

    package func reached(_ upload: Upload) throws(RegistryError) -> Int64? { 0 }

    package func append(
        _ bytes: [UInt8], to upload: Upload, at offset: Int64
    ) throws(RegistryError) -> Int64 {
        guard offset == 0, Int64(bytes.count) == upload.length else {
            throw .offsetConflict(reached: 0, offered: offset)
        }
        let found = SHA256.digest(of: bytes)
        guard found == upload.sha256 else {
            throw .digestMismatch(expected: upload.sha256, found: found)
        }
        written.withLock { $0[found] = bytes }
        return upload.length
    }

    package func finish(_ upload: Upload) throws(RegistryError) {}

    package func open(_ digest: SHA256Digest) throws(RegistryError) -> (any BlobReading)? {
        if let bytes = written.withLock({ $0[digest] }) { return WrittenBlob(bytes: bytes) }
        return try below.open(digest)
    }

    package func dropUploads(idleSince moment: UTCTime) throws(RegistryError) -> Int { 0 }
}

private struct WrittenBlob: BlobReading {
    let bytes: [UInt8]

    var length: Int64 { Int64(bytes.count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int {
        let part = bytes.dropFirst(Int(clamping: offset)).prefix(buffer.count)
        unsafe buffer.copyBytes(from: part)
        return part.count
    }
}
