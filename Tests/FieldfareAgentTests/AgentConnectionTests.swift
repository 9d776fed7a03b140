import FieldfareAgent
import Glibc
import PosixFiles
import Primitives
import SlotHost
import TestSupport
import Testing

/// What outsiders have: the public face, against a running agent with two bundles, the newer one active.
struct AgentConnectionTests {
    private let device = AgentUnderTest()

    private func started() throws -> AgentConnection {
        try device.stage()
        try device.start()
        return try AgentConnection(socket: device.socket)
    }

    @Test func `leases, acknowledges, records, and only then serves`() throws {
        let agent = try started()
        defer { device.stop() }
        #expect(try agent.state().servingVersion == nil)
        let lease = try #require(try agent.lease(as: "voice"))
        #expect(lease.slot == "b" && lease.version == "1.1.0" && lease.deadlineSeconds == 3_600)
        #expect(lease.path == device.scratch.path("state/slots/b"))
        #expect(lease.manifestSHA256.utf8.count == 64)
        #expect(try agent.state().servingVersion == nil)
        try agent.acknowledge(lease)
        let state = try agent.state()
        #expect(state.servingVersion == "1.1.0" && state.activeVersion == "1.1.0")
        #expect(state.attemptedVersion == nil && !state.isCloudOnly && !state.isEnrolled)
        #expect(state.model == "commands-en" && state.channel == "main")
        #expect(state.device.utf8.count == 32)
        var turn = Turn(latencyMicroseconds: 1_000, cpuMicroseconds: 500)
        turn.words = (count: 4, errors: 1)
        turn.locale = "en-GB"
        turn.memoryKiB = 100
        turn.isRetried = true
        turn.partMicroseconds = ["inference": 900]
        try agent.record(Array(repeating: turn, count: 150), of: lease.version)
        turn.confidence = 1_001
        let error = #expect(throws: AgentError.self) { try agent.record([turn], of: "1.1.0") }
        #expect(error?.code == .malformedRequest)
        #expect(error?.message.contains("confidence") == true)
    }

    @Test func `an acknowledgement names what was leased last on its connection`() throws {
        let agent = try started()
        defer { device.stop() }
        let old = try #require(try agent.lease(as: "voice"))
        let other = try AgentConnection(socket: device.socket)
        var error = #expect(throws: AgentError.self) { try other.acknowledge(old) }
        #expect(error?.code == .refused)
        #expect(
            error?.message
                == "the agent refused: acknowledge: expected a lease on this connection before, got 1.1.0"
        )
        try agent.rollBack()
        // Whoever is about to say so when the model moves is heard.
        try agent.acknowledge(old)
        let new = try #require(try agent.lease(as: "voice"))
        error = #expect(throws: AgentError.self) { try agent.acknowledge(old) }
        #expect(error?.code == .refused)
        #expect(
            error?.message
                == "the agent refused: acknowledge: expected version 1.0.0, leased last on this "
                + "connection, got 1.1.0")
        try agent.acknowledge(new)
        #expect(try agent.state().servingVersion == "1.0.0")
    }

    @Test func `tells of the model, of the state, and of a slot to let go of`() throws {
        let agent = try started()
        defer { device.stop() }
        let order = try AgentConnection(socket: device.socket)
        try agent.watch()
        func next() throws -> AgentEvent? { try agent.nextEvent(waitingMilliseconds: 10_000) }
        #expect(try next() == .model(version: "1.1.0"))
        #expect(try next() == .state(order.state().name))
        var lease = try agent.lease(as: "voice")
        #expect(lease != nil)
        try order.rollBack()
        var events: [AgentEvent] = []
        while let event = try next() {
            events.append(event)
            if case .release = event { break }
        }
        #expect(events.suffix(2).first == .model(version: "1.0.0"))
        guard case .release(slot: "b", withinSeconds: let seconds) = events.last else {
            Issue.record("expected slot b to be let go of, got \(events)")
            return
        }
        #expect((3_500...3_600).contains(seconds))
        // Who comes later hears of it at once, and nobody once it is let go of.
        let late = try AgentConnection(socket: device.socket)
        try late.watch()
        var all: [AgentEvent] = []
        while let event = try late.nextEvent(waitingMilliseconds: 200) { all.append(event) }
        #expect(all.first == .model(version: "1.0.0"))
        #expect(all.contains { if case .release(slot: "b", _) = $0 { true } else { false } })
        lease = nil
        let latest = try AgentConnection(socket: device.socket)
        try latest.watch()
        all = []
        while let event = try latest.nextEvent(waitingMilliseconds: 200) { all.append(event) }
        #expect(!all.contains { if case .release = $0 { true } else { false } })
        withExtendedLifetime(lease) {}
    }

    @Test func `watching the model alone brings neither states nor releases`() throws {
        _ = try started()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        wire.send("{\"op\":\"watch\"}\n")
        #expect(try wire.line() == ["ok": true])
        #expect(try wire.line() == ["event": "model", "version": "1.1.0"])
        wire.send("{\"op\":\"check\"}\n")
        #expect(try wire.line() == ["ok": true])
    }

    @Test func `a watcher that does not read is cut off, and keeps nothing`() throws {
        let agent = try started()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        wire.send(String(repeating: "{\"op\":\"events\"}\n", count: 6_000))
        // Each answer here is a turn of the agent's loop, in which it takes eight lines from there.
        for _ in 0..<750 { _ = try agent.state() }
        #expect(wire.isClosed())
    }

    @Test func `has no lease where there is no model, and says where there is no agent`() throws {
        try device.start()
        let agent = try AgentConnection(socket: device.socket)
        #expect(try agent.lease(as: "voice") == nil)
        #expect(try agent.state().isCloudOnly)
        let error = #expect(throws: AgentError.self) { try agent.rollBack() }
        #expect(error?.code == .refused)
        try agent.hold()
        #expect(try agent.state().isHeld)
        try agent.unhold()
        #expect(try agent.state().isHeld == false)
        device.stop()
        let gone = #expect(throws: AgentError.self) { try agent.state() }
        #expect(gone?.code == .unreachable)
        let nobody = #expect(throws: AgentError.self) { try AgentConnection(socket: device.socket) }
        #expect(nobody?.code == .unreachable)
        #expect(nobody?.hint != nil)
    }

    @Test func `leases without an agent, and says what is wrong with the folder`() throws {
        let slots = device.scratch.path("state/slots")
        var error = #expect(throws: AgentError.self) { try ModelLease.direct(in: slots) }
        #expect(error?.code == .storage)
        try device.stage()
        let lease = try #require(try ModelLease.direct(in: slots))
        #expect(lease.version == "1.1.0" && lease.slot == "b" && lease.deadlineSeconds == nil)
        #expect(lease.path == slots + "/b")
        // The agent sees it once it runs.
        try device.start()
        let status = try device.connect().request(["op": "status"])
        #expect(status["leases"] == ["a": "free", "b": "held"])
        device.stop()
        _ = unsafe unlink(slots + "/current")
        #expect(try ModelLease.direct(in: slots) == nil)
        _ = unsafe unlink(slots + "/b.lease")
        try #require(unsafe symlink("b", slots + "/current") == 0)
        error = #expect(throws: AgentError.self) { try ModelLease.direct(in: slots) }
        #expect(error?.code == .storage)
        withExtendedLifetime(lease) {}
    }

    // MARK: The example

    @Test func `the example of the page does what it says`() throws {
        _ = try started()
        let example = VoiceExample()
        var lease = try example.serve(device.socket, device.scratch.path("state/slots"))
        #expect(lease?.version == "1.1.0")
        #expect(example.loaded == [device.scratch.path("state/slots/b")])
        #expect(try AgentConnection(socket: device.socket).state().servingVersion == "1.1.0")
        device.stop()
        lease = try example.serve(device.socket, device.scratch.path("state/slots"))
        #expect(lease?.version == "1.1.0")
    }

    @Test func `the example of the page is the one that is compiled here`() throws {
        let parts = #filePath.split(separator: "/")
        let here = try Self.text(
            "/" + parts.dropLast().joined(separator: "/"), "VoiceExample.swift")
        let page = try Self.text(
            "/" + parts.dropLast(3).joined(separator: "/") + "/docs", "agent.md")
        let lines = here.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex(of: "    // docs/agent.md:"))
        let end = try #require(lines.firstIndex(of: "    // (end)"))
        let example = lines[(first + 1)..<end].map { $0.dropFirst(4) }.joined(separator: "\n")
        #expect(example.utf8.count > 500)
        #expect(page.contains("```swift\n\(example)\n```\n"))
    }

    private static func text(_ folder: String, _ name: String) throws -> String {
        let path = try #require(TargetPath(name))
        return String(
            decoding: try Directory(opening: folder).read(path, limit: 1 << 20), as: UTF8.self)
    }
}
