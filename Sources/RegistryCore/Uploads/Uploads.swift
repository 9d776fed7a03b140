package import Primitives

/// Takes files in, in chunks, by digest; what has arrived is kept over restarts.
package struct Uploads: Sendable {
    /// How long an upload may lie idle, in seconds: a week.
    package static let idleLimit: Int64 = 7 * 86_400

    /// Where an upload stands.
    package enum Standing: Sendable, Hashable {
        /// The blob is there; nothing needs to be sent.
        case present
        /// `offset` bytes have arrived.
        case open(Upload, offset: Int64)
    }

    private let blobs: any BlobStoring

    package init(blobs: any BlobStoring) {
        self.blobs = blobs
    }

    /// Opens an upload, or finds the open one of the same token.
    ///
    /// - Throws: `.malformed` for a length out of range; `.insufficientStorage`.
    package func open(
        sha256: SHA256Digest, length: Int64, by owner: TokenID
    ) throws(RegistryError) -> Standing {
        guard Upload.lengthRange.contains(length) else {
            throw .malformed(
                FieldError(
                    path: "length", expected: "0 to \(Upload.lengthRange.upperBound)",
                    found: "\(length)"))
        }
        if let blob = try blobs.open(sha256) {
            guard blob.length == length else {
                throw .wrongLength("blob \(sha256)", expected: blob.length, found: length)
            }
            return .present
        }
        let upload = Upload(sha256: sha256, length: length, owner: owner)
        return .open(upload, offset: try blobs.begin(upload))
    }

    /// Where an upload stands now.
    ///
    /// - Throws: `.notFound` where there is none of that name, or it is another token's.
    package func standing(of id: String, by owner: TokenID) throws(RegistryError) -> Standing {
        let upload = try find(id, by: owner)
        if let offset = try blobs.reached(upload) { return .open(upload, offset: offset) }
        guard try blobs.open(upload.sha256) != nil else { throw .notFound("upload", id) }
        return .present
    }

    /// Appends a chunk of at most 8 MiB, durably.
    ///
    /// - Returns: the offset reached.
    /// - Throws: `.offsetConflict` where `offset` is not the one reached; `.tooLarge`; `.notFound`.
    package func append(
        _ chunk: [UInt8], at offset: Int64, to id: String, by owner: TokenID
    ) throws(RegistryError) -> Int64 {
        guard chunk.count <= Upload.chunkLimit else {
            throw .tooLarge(
                "chunk", limit: Int64(Upload.chunkLimit), found: Int64(chunk.count))
        }
        let upload = try find(id, by: owner)
        guard try blobs.reached(upload) != nil else { throw .notFound("upload", id) }
        return try blobs.append(chunk, to: upload, at: offset)
    }

    /// Checks the digest and makes a blob of the upload; again is harmless.
    ///
    /// - Throws: `.digestMismatch`, and the upload is gone; `.offsetConflict` where bytes are missing.
    package func finish(_ id: String, by owner: TokenID) throws(RegistryError) {
        let upload = try find(id, by: owner)
        guard try blobs.reached(upload) != nil else {
            guard try blobs.open(upload.sha256) != nil else { throw .notFound("upload", id) }
            return
        }
        try blobs.finish(upload)
    }

    /// Forgets uploads that have been idle for a week.
    package func expire(at now: UTCTime) throws(RegistryError) -> Int {
        try blobs.dropUploads(idleSince: now + -Self.idleLimit)
    }

    private func find(_ id: String, by owner: TokenID) throws(RegistryError) -> Upload {
        guard let upload = Upload(id), upload.owner == owner else { throw .notFound("upload", id) }
        return upload
    }
}
