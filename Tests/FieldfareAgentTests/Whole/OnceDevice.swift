import AgentCore
import AgentJournal
import Cryptography
import FieldfareAgent
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import TUF
import TestSupport
import Testing

/// A device that runs `fieldfare-agent once` now and then, from an empty folder and with an enrolment token; its registry
/// over TLS.
final class OnceDevice {
    let agent = AgentUnderTest()
    let registry = MemoryRegistry(now: SystemClock.now())
    private let configuration: String
    private let server: LoopbackServer
    private let front: TLSFront
    private var last: BundleReference?

    /// What one run came to.
    struct Outcome {
        let child: ChildProcess
        /// The first lines of the requests that the registry had.
        let requests: [String]

        func asked(for folder: String) -> Bool { requests.contains { $0.contains(" \(folder)/") } }
    }

    init() throws {
        let registry = registry
        server = LoopbackServer { request in
            request.line.hasPrefix("POST /v1/devices ")
                ? Self.enrol(request.body) : registry.answer(request).actions
        }
        front = try TLSFront(before: server, in: agent.scratch)
        let token = agent.scratch.path("token")
        try agent.write(Array(("fe_" + String(repeating: "A", count: 43)).utf8), to: token)
        configuration = try agent.configuration(
            authorities: front.authorities,
            with: [
                "registry": .string(front.url), "enrolment_token_file": .string(token),
                "smoke_program": .string(agent.writeSmokeProgram()),
            ])
    }

    private static func enrol(_ body: [UInt8]) -> [ServerAction] {
        guard let request = try? JSON(parsing: body, limit: 1 << 16),
            let key = request["public_key"]?.string.flatMap({ Ed25519PublicKey(hex: $0) })
        else { return ServerAction.answer("400 Bad Request") }
        let device = DeviceID(publicKeyDigest: SHA256.digest(of: key.bytes))
        return ServerAction.ok(JSON.object(["device": .string("\(device)")]).bytes)
    }

    /// Releases a bundle to everybody, in the first of two stages: no device swaps before its beacon was taken.
    func release(_ bundle: MemoryBundle) throws {
        let now = SystemClock.now()
        let candidate = try registry.publish(
            bundle, policy: MemoryRegistry.everybody(from: now), now: now)
        registry.sign(candidate, over: last, at: now)
        last = candidate
    }

    func removeSmokeProgram() throws {
        try #require(unsafe unlink(agent.scratch.path("smoke")) == 0)
    }

    /// Runs the built program to its end.
    func once() throws -> Outcome {
        let before = server.requests.count
        let child = try ChildProcess(words("once"), timeout: Int32(RunningDevice.patience))
        return Outcome(child: child, requests: server.requests[before...].map(\.line))
    }

    /// Runs the built program as a daemon until good turns have ended the probation.
    func endProbation() throws {
        let program = try RunningProgram(words("run"), outputs: agent.scratch.path("run"))
        while program.exitCode == nil, (try? agent.connect()) == nil {
            SystemClock.pause(nanoseconds: 20_000_000)
        }
        let application = try AgentConnection(
            socket: agent.socket, timeoutMilliseconds: RunningDevice.patience)
        let version = try #require(try application.state().activeVersion)
        let turn = Turn(latencyMicroseconds: 400_000, cpuMicroseconds: 40_000)
        try application.record([Turn](repeating: turn, count: 250), of: version)
        program.terminate()
        while program.exitCode == nil { SystemClock.pause(nanoseconds: 10_000_000) }
        try #require(program.exitCode == 0)
        try #require(try memory.state.name == "committed")
    }

    private func words(_ command: String) throws -> [String] {
        [try ChildProcess.program("fieldfare-agent"), command, "--config", configuration]
    }

    // MARK: What is on the disk

    /// What the journal remembers.
    var memory: MachineState {
        get throws {
            let journal = try Journal(in: Directory(opening: agent.scratch.path("state")))
            return try #require(try journal.load()).machine
        }
    }

    func requireServing(_ bundle: MemoryBundle) throws {
        try bundle.requireActive(in: agent.scratch.path("state/slots"))
    }
}
