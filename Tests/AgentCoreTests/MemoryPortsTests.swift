import TUF
import TestSupport
import Testing

/// The memory ports that the driver's tests stand on keep the ports' contracts too.
struct MemoryPortsTests {
    /// A metadata store in memory, which outlives every process.
    private struct MemoryMetadata: MetadataStoreUnderTest {
        let store = MemoryMetadataStore()

        func opened() -> MemoryMetadataStore { store }

        func files() -> [String: [UInt8]] {
            Dictionary(uniqueKeysWithValues: store.files.map { ($0.key.description, $0.value) })
        }
    }

    @Test func `memory keeps slots as the port asks`() throws {
        try SlotStoringSuite { MemorySlots() }.run()
    }

    @Test func `memory keeps the journal as the port asks`() throws {
        try JournalingSuite { MemoryJournal() }.run()
    }

    @Test func `memory keeps metadata as the port asks`() throws {
        try MetadataStoringSuite { MemoryMetadata() }.run()
    }
}
