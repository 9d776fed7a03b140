import TestSupport
import Testing

/// The memory ports that the driver's tests stand on keep the ports' contracts too.
struct MemoryPortsTests {
    @Test func `memory keeps slots as the port asks`() throws {
        try SlotStoringSuite { MemorySlots() }.run()
    }

    @Test func `memory keeps the journal as the port asks`() throws {
        try JournalingSuite { MemoryJournal() }.run()
    }
}
