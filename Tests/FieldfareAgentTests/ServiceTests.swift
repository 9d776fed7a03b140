import CPosixShims
import CurlTransport
import Glibc
import PosixFiles
import Primitives
import Speech
import TestSupport
import Testing

@testable import FieldfareAgent

/// `fieldfare-agent` as a service manager sees it, and `once`.
struct ServiceTests {
    private let device = AgentUnderTest()

    // MARK: systemd

    /// A service manager's socket.
    private final class Notices {
        let number: Int32

        init(_ path: String) throws {
            number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) {
                unsafe $0.copyBytes(from: path.utf8)
            }
            let answer = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(answer == 0)
            var patience = timeval(tv_sec: 20, tv_usec: 0)
            unsafe setsockopt(
                number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(number) }

        func next() -> String {
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = unsafe recv(number, &buffer, buffer.count, 0)
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        }
    }

    @Test func `says that it is ready, that it lives, and that it stops`() throws {
        let notices = try Notices(device.scratch.path("notify.sock"))
        let agent = try RunningProgram(
            [
                ChildProcess.program("fieldfare-agent"), "run", "--config",
                device.configuration(),
            ],
            environment: [
                "NOTIFY_SOCKET=\(device.scratch.path("notify.sock"))", "WATCHDOG_USEC=400000",
            ], outputs: device.scratch.path("service"))
        #expect(notices.next() == "READY=1")
        let start = SystemClock.monotonicNanoseconds()
        for _ in 0..<10 { #expect(notices.next() == "WATCHDOG=1") }
        // Idle for most of it: half of the time that it has each.
        #expect(SystemClock.monotonicNanoseconds() - start < 10 * 400_000_000)
        agent.terminate()
        var last = notices.next()
        while last == "WATCHDOG=1" { last = notices.next() }
        #expect(last == "STOPPING=1")
        while agent.exitCode == nil { SystemClock.pause(nanoseconds: 10_000_000) }
        #expect(agent.exitCode == 0)
    }

    @Test func `the shipped unit watches the agent`() throws {
        let folder = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let name = try #require(TargetPath("fieldfare-agent.service"))
        let unit = String(
            decoding: try Directory(opening: folder + "/deploy/systemd").read(name, limit: 1 << 16),
            as: UTF8.self)
        #expect(unit.contains("\nType=notify\n"))
        #expect(unit.contains("\nWatchdogSec="))
        #expect(unit.contains("\nRestart=always\n"))
    }

    // MARK: once

    /// A registry of one test over plain HTTP, which has no model yet.
    private func registry(
        _ simulator: RepositorySimulator, _ status: String? = nil
    ) -> LoopbackServer {
        LoopbackServer { request in
            if let status { return ServerAction.answer(status) }
            let path = request.line.split(separator: " ").dropFirst().first ?? ""
            let files = simulator.repository.files
            guard let name = files.keys.first(where: { path == "/tuf/\($0)" }),
                let bytes = files[name]
            else { return ServerAction.answer("404 Not Found") }
            return ServerAction.ok(bytes)
        }
    }

    private func runOnce(_ agent: Agent, at server: LoopbackServer) throws(AgentError) {
        try agent.runOnce {
            var settings = HTTPClientSettings()
            settings.allowsPlainHTTP = true
            return RegistryClient(base: server.url, settings: settings)
        }
    }

    @Test func `once polls, does what there is to do, and ends`() throws {
        let simulator = RepositorySimulator()
        let server = registry(simulator)
        let agent = try Agent(configuration: device.configuration())
        try runOnce(agent, at: server)
        #expect(server.requests.contains { $0.line.contains("/tuf/timestamp.json") })
        #expect(!device.exists("agent.sock"))
        // A device with a model does not wait for its place in the poll interval.
        try device.stage()
        let start = SystemClock.monotonicNanoseconds()
        try runOnce(Agent(configuration: device.configuration()), at: server)
        #expect(SystemClock.monotonicNanoseconds() - start < 30_000_000_000)
    }

    @Test func `once says what stood in its way`() throws {
        var error = #expect(throws: AgentError.self) {
            try runOnce(
                Agent(configuration: device.configuration()),
                at: registry(RepositorySimulator(), "403 Forbidden"))
        }
        #expect(error?.code == .refused)
        error = #expect(throws: AgentError.self) {
            try runOnce(
                Agent(configuration: device.configuration()),
                at: registry(RepositorySimulator(), "503 Service Unavailable"))
        }
        #expect(error?.code == .unreachable)
        let stopped = try Agent(configuration: device.configuration())
        stopped.stop()
        error = #expect(throws: AgentError.self) {
            try runOnce(stopped, at: registry(RepositorySimulator()))
        }
        #expect(error?.code == .interrupted)
        try device.start()
        defer { device.stop() }
        error = #expect(throws: AgentError.self) {
            try runOnce(
                Agent(configuration: device.configuration()),
                at: registry(RepositorySimulator()))
        }
        #expect(error?.code == .busy)
    }

    @Test func `once is a command with an exit code`() throws {
        let child = try ChildProcess(
            [
                ChildProcess.program("fieldfare-agent"), "once", "--config",
                device.configuration(),
            ], timeout: 60_000)
        #expect(child.ending == .exited(12))
        #expect(child.output.isEmpty)
        #expect(child.errors.contains("\nfieldfare-agent: cannot poll: "))
    }
}
