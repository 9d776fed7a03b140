import Cryptography
import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

struct UploadsTests {
    private let blobs = MemoryBlobs()
    private let bytes = Array("the weights of a very small model".utf8)
    private var uploads: Uploads { Uploads(blobs: blobs) }
    private var digest: SHA256Digest { SHA256.digest(of: bytes) }

    private func owner(_ text: String = "0123456789abcdef") throws -> TokenID {
        try #require(TokenID(text))
    }

    private func open() throws -> (id: String, offset: Int64) {
        let standing = try uploads.open(
            sha256: digest, length: Int64(bytes.count), by: try owner())
        guard case .open(let upload, let offset) = standing else {
            throw SampleError.impossible
        }
        return (upload.description, offset)
    }

    @Test func `goes on after a restart where it was`() throws {
        let id = try open().id
        #expect(try uploads.append(Array(bytes[..<12]), at: 0, to: id, by: try owner()) == 12)
        let again = Uploads(blobs: blobs)
        #expect(try open() == (id, 12))
        let end = Int64(bytes.count)
        #expect(
            try again.append(Array(bytes[12...]), at: 12, to: id, by: try owner()) == end)
        try again.finish(id, by: try owner())
        #expect(try again.standing(of: id, by: try owner()) == .present)
        #expect(try again.open(sha256: digest, length: end, by: try owner()) == .present)
        // Finishing once more is what a client does that never saw the answer.
        try again.finish(id, by: try owner())
    }

    @Test func `is nobody else's`() throws {
        let id = try open().id
        let other = try owner("ffffffffffffffff")
        let missing = RegistryError.notFound("upload", id)
        #expect(throws: missing) { try uploads.standing(of: id, by: other) }
        #expect(throws: missing) { try uploads.append([1], at: 0, to: id, by: other) }
        #expect(throws: missing) { try uploads.finish(id, by: other) }
        #expect(
            try uploads.standing(of: id, by: try owner())
                == .open(try #require(Upload(id)), offset: 0))
    }

    @Test func `refuses a chunk over its limit before anything is written`() throws {
        let id = try open().id
        let chunk = [UInt8](repeating: 0, count: Upload.chunkLimit + 1)
        let error = RegistryError.tooLarge(
            "chunk", limit: Int64(Upload.chunkLimit), found: Int64(chunk.count))
        #expect(throws: error) { try uploads.append(chunk, at: 0, to: id, by: try owner()) }
        #expect(try open().offset == 0)
    }

    @Test(arguments: [-1, (64 << 30) + 1] as [Int64])
    func `refuses a length out of range`(length: Int64) throws {
        let error = #expect(throws: RegistryError.self) {
            try uploads.open(sha256: digest, length: length, by: try owner())
        }
        #expect(error?.code == .malformedRequest)
        #expect(blobs.uploadCount == 0)
    }

    @Test func `a digest with another length than the blob's is refused`() throws {
        try blobs.put(bytes, digest)
        #expect(
            throws: RegistryError.wrongLength(
                "blob \(digest)", expected: Int64(bytes.count), found: 5)
        ) {
            try uploads.open(sha256: digest, length: 5, by: try owner())
        }
    }

    @Test(arguments: [
        "", "x", "..", "../../etc/passwd", "\(String(repeating: "ab", count: 32)).5",
        "\(String(repeating: "ab", count: 32)).05.registry",
        "\(String(repeating: "AB", count: 32)).5.registry",
        "\(String(repeating: "ab", count: 32)).-5.registry",
        "\(String(repeating: "ab", count: 32)).5.registry/..",
    ])
    func `refuses what is no upload's name`(text: String) throws {
        #expect(Upload(text) == nil)
        #expect(throws: RegistryError.notFound("upload", text)) {
            try uploads.standing(of: text, by: .registry)
        }
    }

    @Test func `an upload nobody touched for a week goes`() throws {
        let now = UTCTime(clamping: 1_764_000_000)
        blobs.setTime(now)
        _ = try open()
        #expect(try uploads.expire(at: now + Uploads.idleLimit) == 0)
        #expect(try uploads.expire(at: now + Uploads.idleLimit + 1) == 1)
        #expect(blobs.uploadCount == 0)
    }
}
