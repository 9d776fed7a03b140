import Primitives
import RegistryCore
import RegistryTestSupport
import Testing

/// The memory stores that the other tests stand on keep the ports' contracts too.
struct MemoryPortsTests {
    @Test func `memory keeps records as the port asks`() throws {
        try RegistryStoreSuite { MemoryStore() }.run()
    }

    @Test func `memory keeps blobs as the port asks`() throws {
        let now = UTCTime(clamping: 1_764_000_000)
        try BlobStoreSuite { MemoryBlobs(now: now) }.run(at: now)
    }

    @Test func `a full disk takes no upload and keeps no trace of it`() throws {
        let blobs = MemoryBlobs(freeBytes: 9)
        let uploads = Uploads(blobs: blobs)
        let digest = try #require(SHA256Digest(hex: String(repeating: "ab", count: 32)))
        #expect(throws: RegistryError.insufficientStorage) {
            try uploads.open(sha256: digest, length: 10, by: .registry)
        }
        #expect(blobs.uploadCount == 0)
    }
}
