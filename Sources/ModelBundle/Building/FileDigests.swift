import Cryptography
package import Primitives

/// The digests of one file and of its chunks, from one reading of it.
package struct FileDigests: Sendable, Hashable {
    /// Bytes that are read at a time; a divisor of the chunk length.
    static let pieceLength = 1 << 20

    package let sha256: SHA256Digest
    package let chunks: [SHA256Digest]

    /// Reads the whole file, a piece at a time.
    package init(
        _ path: TargetPath, length: Int64, in files: some BundleFiles
    ) throws(BundleFileError) {
        var whole = SHA256()
        var chunks: [SHA256Digest] = []
        for index in 0..<ManifestFile.chunkCount(of: length) {
            var chunk = SHA256()
            var offset = Int64(index) * ManifestFile.chunkLength
            let end = min(offset + ManifestFile.chunkLength, length)
            while offset < end {
                let count = Int(min(Int64(Self.pieceLength), end - offset))
                let piece = try files.read(path, at: offset, count: count)
                whole.update(piece)
                chunk.update(piece)
                offset += Int64(count)
            }
            chunks.append(chunk.finish())
        }
        sha256 = whole.finish()
        self.chunks = chunks
    }
}
