package import Primitives

/// Whole files by SHA-256, immutable once they are there; the port to where the registry keeps bytes.
///
/// An upload is named by what it will be (digest, length, owner), so it is found again after a restart.
/// Every verb may be called from several threads; two callers of one upload are put in order.
///
/// - `begin` is idempotent. Where there is no room for the whole length it throws
///   `.insufficientStorage` and leaves no trace.
/// - `append` is durable on return, and all or nothing as far as `reached` tells.
/// - `finish` checks length and digest before the blob can be seen, and is durable on return. A blob
///   of that digest that is there already is as good. With other bytes the upload is gone.
package protocol BlobStoring: Sendable {
    /// Opens an upload, or finds the open one.
    ///
    /// - Returns: the bytes that have arrived; nothing else may be appended than what comes after.
    func begin(_ upload: Upload) throws(RegistryError) -> Int64

    /// The bytes of an open upload that have arrived; nil where none is open.
    func reached(_ upload: Upload) throws(RegistryError) -> Int64?

    /// Appends the bytes at `offset`, which must be what `reached` tells.
    ///
    /// - Returns: the offset reached.
    /// - Throws: `.offsetConflict`; `.tooLarge` beyond the upload's length; `.insufficientStorage`.
    func append(
        _ bytes: [UInt8], to upload: Upload, at offset: Int64
    ) throws(RegistryError) -> Int64

    /// Makes a blob of the upload.
    ///
    /// - Throws: `.digestMismatch`, and the upload is gone; `.offsetConflict` before its length is reached.
    func finish(_ upload: Upload) throws(RegistryError)

    /// Opens a blob for reading; nil where there is none.
    func open(_ digest: SHA256Digest) throws(RegistryError) -> (any BlobReading)?

    /// Removes uploads to which nothing has been appended since `moment`.
    ///
    /// - Returns: how many went.
    func dropUploads(idleSince moment: UTCTime) throws(RegistryError) -> Int
}

/// An open blob; it stays readable while the value lives.
package protocol BlobReading: Sendable {
    /// Bytes of the whole blob.
    var length: Int64 { get }

    /// Fills the buffer from `offset` on; fewer bytes only at the blob's end.
    ///
    /// - Returns: how many bytes were read.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int

    /// As `read`, but only what is in memory already: nil where that would wait for the disk.
    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int?
}

extension BlobReading {
    /// For stores that cannot tell.
    package func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int? { nil }

    /// The bytes of a range that lies within the blob.
    package func read(_ range: Range<Int64>) throws(RegistryError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = try unsafe bytes.withUnsafeMutableBufferPointer {
            (buffer) throws(RegistryError) -> Int in
            try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
        }
        guard count == bytes.count else {
            throw .storage("blob: expected \(bytes.count) bytes, got \(count)")
        }
        return bytes
    }
}

extension BlobStoring {
    /// Stores a small blob that the registry itself has made, durably; equal bytes any number of times.
    package func put(_ bytes: [UInt8], _ digest: SHA256Digest) throws(RegistryError) {
        guard try open(digest) == nil else { return }
        let upload = Upload(sha256: digest, length: Int64(bytes.count), owner: .registry)
        let reached = try begin(upload)
        _ = try append(Array(bytes.dropFirst(Int(reached))), to: upload, at: reached)
        try finish(upload)
    }

    /// All bytes of a blob of at most `limit` bytes; nil where there is none.
    package func bytes(
        of digest: SHA256Digest, limit: Int
    ) throws(RegistryError) -> [UInt8]? {
        guard let blob = try open(digest) else { return nil }
        guard blob.length <= Int64(limit) else {
            throw .tooLarge("blob \(digest)", limit: Int64(limit), found: blob.length)
        }
        return try blob.read(0..<blob.length)
    }
}
