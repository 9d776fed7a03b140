import TestSupport
import Testing

struct SlotFolderTests {
    @Test func `a folder keeps slots as the port asks`() throws {
        try SlotStoringSuite { Disk(isInMemory: true) }.run()
    }
}
