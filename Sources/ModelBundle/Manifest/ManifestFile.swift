package import Primitives

/// One file of a bundle: its path, its length, and the digests that let a device check it in parts.
package struct ManifestFile: Sendable, Hashable {
    /// Bytes of every chunk but the last: 4 MiB.
    package static let chunkLength: Int64 = 4 << 20
    /// 64 GiB, far above any model that runs on the edge.
    package static let lengthRange: ClosedRange<Int64> = 1...(64 << 30)

    package let path: TargetPath
    package let length: Int64
    package let sha256: SHA256Digest
    /// SHA-256 of each chunk of `chunkLength` bytes, in order.
    package let chunks: [SHA256Digest]

    /// - Throws: `FieldError` where the length is out of range or the number of chunks does not fit it.
    package init(
        path: TargetPath, length: Int64, sha256: SHA256Digest, chunks: [SHA256Digest],
        at field: String = "file"
    ) throws(FieldError) {
        guard Self.lengthRange.contains(length) else {
            throw FieldError(
                path: "\(field).length",
                expected: "\(Self.lengthRange.lowerBound) to \(Self.lengthRange.upperBound)",
                found: "\(length)")
        }
        let expected = Self.chunkCount(of: length)
        guard chunks.count == expected else {
            throw FieldError(
                path: "\(field).chunks", expected: "\(expected) digests for \(length) bytes",
                found: "\(chunks.count)")
        }
        self.path = path
        self.length = length
        self.sha256 = sha256
        self.chunks = chunks
    }

    init(_ json: JSON, at field: String) throws(FieldError) {
        var fields = try Fields(json, at: field)
        let path = try fields.parse("path", TargetPath.expected) { TargetPath($0) }
        let length = try fields.integer("length", in: Self.lengthRange)
        let sha256 = try fields.parse("sha256", "64 lower-case hexadecimal digits") {
            SHA256Digest(hex: $0)
        }
        _ = try fields.integer("chunk_length", in: Self.chunkLength...Self.chunkLength)
        var chunks: [SHA256Digest] = []
        for element in try fields.array("chunks", limit: Self.chunkCount(of: length)) {
            guard case .string(let text) = element.json, let digest = SHA256Digest(hex: text) else {
                throw FieldError(
                    path: element.path, expected: "64 lower-case hexadecimal digits",
                    found: element.json.kind)
            }
            chunks.append(digest)
        }
        try fields.refuseUnknown()
        try self.init(path: path, length: length, sha256: sha256, chunks: chunks, at: field)
    }

    package var json: JSON {
        [
            "path": .string(path.description), "length": .integer(length),
            "sha256": .string(sha256.hex), "chunk_length": .integer(Self.chunkLength),
            "chunks": .array(chunks.map { .string($0.hex) }),
        ]
    }

    /// The bytes of chunk `index`, from the start of the file.
    package func range(ofChunk index: Int) -> Range<Int64> {
        precondition(chunks.indices.contains(index))
        let start = Int64(index) * Self.chunkLength
        return start..<min(start + Self.chunkLength, length)
    }

    package static func chunkCount(of length: Int64) -> Int {
        Int((length + chunkLength - 1) / chunkLength)
    }
}
