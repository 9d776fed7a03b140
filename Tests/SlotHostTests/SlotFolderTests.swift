import TestSupport
import Testing

struct SlotFolderTests {
    @Test(arguments: [1, 3])
    func `a folder keeps slots as the port asks`(sources: Int) throws {
        try SlotStoringSuite(sources: sources) { Disk(isInMemory: true) }.run()
    }
}
