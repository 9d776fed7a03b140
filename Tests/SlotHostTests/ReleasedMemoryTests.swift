import CPosixShims
import Cryptography
import Testing

struct ReleasedMemoryTests {
    @Test func `code that was let go of runs again, and is kept where little is resident`() {
        let before = SHA256.digest(of: [1, 2, 3])
        #expect(cposix_resident_bytes() > 0)
        #expect(cposix_release_memory(.max) == 0)
        #expect(cposix_release_memory(0) > 0)
        #expect(SHA256.digest(of: [1, 2, 3]) == before)
        #expect(cposix_resident_bytes() > 0)
    }
}
