import AgentCore
import Primitives
import Speech
import TestSupport
import Testing

/// The built `fieldfare-agent once` through whole updates, with a registry over TLS.
struct OnceTests {
    private let device: OnceDevice
    private let first: MemoryBundle
    private let second: MemoryBundle

    init() throws {
        device = try OnceDevice()
        first = try MemoryBundle("1.0.0", ["large.bin": MemoryBundle.noise(5_000_000, seed: 1)])
        second = try MemoryBundle("1.1.0", ["large.bin": MemoryBundle.noise(5_000_000, seed: 2)])
        try device.release(first)
    }

    /// What devices have reported of a version, in order.
    private func kinds(of version: String) -> [String] {
        device.registry.reports.filter { $0["candidate"]?.string == version }
            .compactMap { $0["kind"]?.string }
    }

    @Test func `installs on an empty device, and does nothing the second time`() throws {
        let outcome = try device.once()
        #expect(outcome.child.ending == .exited(0), "\(outcome.child.errors)")
        #expect(outcome.child.output.isEmpty)
        try device.requireServing(first)
        #expect(try device.memory.state.name == "probation")
        // It enrolled, and the beacon was heard before the swap.
        #expect(
            kinds(of: "1.0.0") == ["transition", "attempt", "smoke", "swap_beacon", "transition"])

        let again = try device.once()
        #expect(again.child.ending == .exited(0), "\(again.child.errors)")
        #expect(again.asked(for: "/tuf"))
        #expect(!again.asked(for: "/blobs"))
        #expect(!again.child.errors.contains("smoke test"))
        try device.requireServing(first)
        #expect(try device.memory.state.name == "probation")
    }

    @Test func `leaves a version in probation alone, and updates once that is over`() throws {
        #expect(try device.once().child.ending == .exited(0))
        try device.release(second)
        let early = try device.once()
        #expect(early.child.ending == .exited(0), "\(early.child.errors)")
        #expect(!early.asked(for: "/blobs"))
        try device.requireServing(first)
        #expect(try device.memory.state.name == "probation")

        try device.endProbation()
        let outcome = try device.once()
        #expect(outcome.child.ending == .exited(0), "\(outcome.child.errors)")
        #expect(outcome.asked(for: "/blobs"))
        try device.requireServing(second)
        #expect(try device.memory.state.name == "probation")
        #expect(kinds(of: "1.1.0").contains("swap_beacon"))
        // The probation goes on with the next run.
        try device.endProbation()
        try device.requireServing(second)
    }

    @Test func `keeps its model where the candidate fails its smoke test`() throws {
        #expect(try device.once().child.ending == .exited(0))
        try device.endProbation()
        try device.release(
            MemoryBundle(
                "1.1.0",
                smoke: [
                    "utterances": [
                        ["wav": "utterances/a.wav", "transcript": "go", "locale": "en-GB"]
                    ], "max_wer": 0, "max_cpu_ms_per_audio_s": ["default": 1000],
                    "timeout_ms": 10_000, "memory_limit": .integer(512 << 20),
                ]))
        let outcome = try device.once()
        #expect(outcome.child.ending == .exited(0), "\(outcome.child.errors)")
        #expect(outcome.child.errors.contains("smoke test failed"))
        try device.requireServing(first)
        #expect(try device.memory.state.name == "rejected")
        #expect(kinds(of: "1.1.0").contains("smoke"))
        #expect(!kinds(of: "1.1.0").contains("swap_beacon"))

        let again = try device.once()
        #expect(again.child.ending == .exited(0), "\(again.child.errors)")
        #expect(!again.asked(for: "/blobs"))
        try device.requireServing(first)
    }

    @Test func `says where no smoke test could be made`() throws {
        try device.removeSmokeProgram()
        let outcome = try device.once()
        #expect(outcome.child.ending == .exited(1))
        #expect(
            outcome.child.errors.hasSuffix(
                """

                fieldfare-agent: cannot make a smoke test: smoke program: expected one that starts, got no such file or \
                directory (execve)
                hint: install 'fieldfare-smoke', or name it in 'smoke_program'

                """), "\(outcome.child.errors)")
        #expect(try device.memory.slots.active == nil)
        #expect(try device.memory.state.name == "failed")
    }

    @Test func `says where a smoke test tells nothing of the bundle`() throws {
        try device.agent.writeSmokeProgram("exit \(SmokeExit.noRuntime.rawValue)")
        let outcome = try device.once()
        #expect(outcome.child.ending == .exited(1))
        #expect(
            outcome.child.errors.hasSuffix(
                """

                fieldfare-agent: smoke test: expected an end that judges the bundle, got exit:3
                hint: 'fieldfare-agent doctor' looks at the smoke program and the speech runtime

                """), "\(outcome.child.errors)")
        #expect(try device.memory.slots.active == nil)
        #expect(try device.memory.state.name == "failed")
    }
}
