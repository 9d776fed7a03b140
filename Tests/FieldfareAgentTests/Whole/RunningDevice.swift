import AgentCore
import FieldfareAgent
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import Speech
import TestSupport
import Testing

/// A running agent with a registry over HTTP and a smoke test that passes, and an application at its socket.
final class RunningDevice {
    let agent = AgentUnderTest()
    let registry: MemoryRegistry
    let application: AgentConnection
    private let server: LoopbackServer
    private var last: BundleReference?

    /// Installs 1.0.0, and waits until it is committed.
    ///
    /// - Parameters:
    ///   - more: of the agent's configuration.
    ///   - arrived: called with each request before it is answered, on its connection's thread.
    /// - Throws: what agent and socket throw.
    init(
        with more: JSONObject = [:],
        arrived: @escaping @Sendable (ReceivedRequest) -> Void = { _ in }
    ) throws {
        let registry = MemoryRegistry(now: SystemClock.now())
        self.registry = registry
        server = LoopbackServer { request in
            arrived(request)
            return registry.answer(request).actions
        }
        var settings = more
        settings["smoke_program"] = .string(try agent.writeSmokeProgram())
        try Self.release("1.0.0", over: &last, in: registry)
        try agent.start(at: server.url, with: settings)
        application = try AgentConnection(
            socket: agent.socket, timeoutMilliseconds: Self.patience)
        try application.watch()
        try wait(for: "1.0.0")
        // The end of its probation, for which the next release would wait.
        let turn = Turn(latencyMicroseconds: 400_000, cpuMicroseconds: 40_000)
        try application.record([Turn](repeating: turn, count: 250), of: "1.0.0")
    }

    deinit { agent.stop() }

    /// Milliseconds that nothing here takes, on whatever machine.
    static let patience = 120_000

    /// What the registry was asked, in the order in which it came.
    var requests: [ReceivedRequest] { server.requests }

    /// Releases a version to everybody, whom no beacon holds back.
    func release(_ version: String) throws {
        try Self.release(version, over: &last, in: registry)
        try agent.connect().request(["op": "check"])
    }

    private static func release(
        _ version: String, over last: inout BundleReference?, in registry: MemoryRegistry
    ) throws {
        let now = SystemClock.now()
        let candidate = try registry.publish(
            version, policy: MemoryRegistry.everybody(from: now), now: now)
        registry.sign(candidate, over: last, state: .completed, at: now)
        last = candidate
    }

    /// Waits for the event that a version is active.
    func wait(for version: String) throws {
        let end = SystemClock.monotonicNanoseconds() + Int64(Self.patience) * 1_000_000
        while SystemClock.monotonicNanoseconds() < end {
            if case .model(version)? = try application.nextEvent(waitingMilliseconds: 1_000) {
                return
            }
        }
        Issue.record("\(version) does not come: \(try agent.connect().request(["op": "status"]))")
    }
}
