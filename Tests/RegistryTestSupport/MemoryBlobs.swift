import Cryptography
package import Primitives
package import RegistryCore
import Synchronization

/// Blobs in memory, with a disk that can be full.
package final class MemoryBlobs: BlobStoring {
    private struct State {
        var blobs: [SHA256Digest: [UInt8]] = [:]
        var uploads: [Upload: (bytes: [UInt8], touched: UTCTime)] = [:]
        var freeBytes: Int64
        var now: UTCTime
    }

    private let state: Mutex<State>

    package init(freeBytes: Int64 = .max, now: UTCTime = .epoch) {
        state = Mutex(State(freeBytes: freeBytes, now: now))
    }

    /// All blobs, for tests that compare what was left.
    package var digests: Set<SHA256Digest> { state.withLock { Set($0.blobs.keys) } }
    package var uploadCount: Int { state.withLock { $0.uploads.count } }

    package func setTime(_ now: UTCTime) { state.withLock { $0.now = now } }

    package func begin(_ upload: Upload) throws(RegistryError) -> Int64 {
        try state.withLock { (state) throws(RegistryError) -> Int64 in
            if let held = state.uploads[upload] { return Int64(held.bytes.count) }
            guard upload.length <= state.freeBytes else { throw .insufficientStorage }
            state.freeBytes -= upload.length
            state.uploads[upload] = ([], state.now)
            return 0
        }
    }

    package func reached(_ upload: Upload) throws(RegistryError) -> Int64? {
        state.withLock { $0.uploads[upload].map { Int64($0.bytes.count) } }
    }

    package func append(
        _ bytes: [UInt8], to upload: Upload, at offset: Int64
    ) throws(RegistryError) -> Int64 {
        try state.withLock { (state) throws(RegistryError) -> Int64 in
            guard let held = state.uploads[upload] else {
                throw .notFound("upload", upload.description)
            }
            let reached = Int64(held.bytes.count)
            guard offset == reached else {
                throw .offsetConflict(reached: reached, offered: offset)
            }
            let end = offset + Int64(bytes.count)
            guard end <= upload.length else {
                throw .tooLarge("upload", limit: upload.length, found: end)
            }
            state.uploads[upload] = (held.bytes + bytes, state.now)
            return end
        }
    }

    package func finish(_ upload: Upload) throws(RegistryError) {
        try state.withLock { (state) throws(RegistryError) in
            guard let held = state.uploads[upload] else {
                throw .notFound("upload", upload.description)
            }
            guard Int64(held.bytes.count) == upload.length else {
                throw .offsetConflict(
                    reached: Int64(held.bytes.count), offered: upload.length)
            }
            state.uploads[upload] = nil
            let found = SHA256.digest(of: held.bytes)
            guard found == upload.sha256 else {
                state.freeBytes += upload.length
                throw .digestMismatch(expected: upload.sha256, found: found)
            }
            if state.blobs.updateValue(held.bytes, forKey: found) != nil {
                state.freeBytes += upload.length
            }
        }
    }

    package func open(_ digest: SHA256Digest) throws(RegistryError) -> (any BlobReading)? {
        state.withLock { state in state.blobs[digest].map { MemoryBlob(bytes: $0) } }
    }

    package func dropUploads(idleSince moment: UTCTime) throws(RegistryError) -> Int {
        state.withLock { state in
            let idle = state.uploads.filter { $0.value.touched < moment }
            for upload in idle.keys {
                state.uploads[upload] = nil
                state.freeBytes += upload.length
            }
            return idle.count
        }
    }
}

private struct MemoryBlob: BlobReading {
    let bytes: [UInt8]

    var length: Int64 { Int64(bytes.count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int {
        guard offset < length else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        unsafe buffer.copyBytes(from: part)
        return part.count
    }
}
