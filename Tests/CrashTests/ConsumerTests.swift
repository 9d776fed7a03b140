import Speech
import TestSupport
import Testing

/// Readers that lease while slots are swapped; `make test-crash` swaps more often, and looks at the times.
@Suite(.serialized) struct ConsumerTests {
    private func run(_ words: String...) throws -> (ending: ChildEnd.Ending, output: String) {
        let program = try ChildProcess(
            [ChildProcess.program("model-consumer")] + words, timeout: 600_000)
        return (program.ending, String(decoding: program.output, as: UTF8.self) + program.errors)
    }

    @Test func `no reader meets with a mix, a missing file or no model during 500 swaps`() throws {
        let (ending, output) = try run("swaps", "500", "--with-orders")
        #expect(ending == .exited(0), "\(output)")
    }

    /// Otherwise readers that hold a slot too shortly would prove nothing.
    @Test func `readers see a staging that asks for no leases`() throws {
        let (ending, output) = try run("swaps", "200", "--without-leases")
        #expect(ending == .exited(1), "\(output)")
        #expect(output.contains("direct: leases "), "\(output)")
    }
}
