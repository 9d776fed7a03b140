import CPosixShims
import FieldfareAgent
import Glibc
import Primitives
import SlotHost
import TestSupport
import Testing

/// The agent as a whole, with a registry that nobody can reach, seen through its local socket.
struct LocalSocketTests {
    private let device = AgentUnderTest()

    @Test func `has no model before the first poll, and says so`() throws {
        try device.start()
        defer { device.stop() }
        let client = try device.connect()
        let status = try client.request(["op": "status"])
        #expect(status["active"] == .null)
        #expect(status["cloud_only"] == true)
        #expect(status["enrolled"] == false)
        #expect(try client.lease(as: "voice") == nil)
        #expect(try client.request(["op": "explain"])["decision"] == .null)
        let nothing = AgentClientError.refused(
            code: "refused", detail: "rollback: expected a version to go back to, got none")
        #expect(throws: nothing) { try client.request(["op": "rollback"]) }
    }

    @Test func `tells what is active as soon as somebody watches`() throws {
        try device.start()
        defer { device.stop() }
        let client = try device.connect()
        try client.watch()
        let event = try #require(try client.nextEvent(waitingMilliseconds: 5_000))
        #expect(event == .model(nil))
    }

    @Test func `remembers a hold over a restart`() throws {
        try device.start()
        try device.connect().request(["op": "hold"])
        #expect(try device.connect().request(["op": "status"])["held"] == true)
        device.stop()
        try device.start()
        #expect(try device.connect().request(["op": "status"])["held"] == true)
        try device.connect().request(["op": "unhold"])
        device.stop()
        try device.start()
        defer { device.stop() }
        #expect(try device.connect().request(["op": "status"])["held"] == false)
    }

    @Test func `lets one agent alone use a state directory`() throws {
        try device.start()
        defer { device.stop() }
        let second = try Agent(configuration: device.configuration(socket: "second.sock"))
        let error = #expect(throws: AgentError.self) { try second.run() }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("state directory") == true)
    }

    @Test func `lets one agent alone use a socket, and replaces one that a killed agent left`()
        throws
    {
        try device.start()
        let second = try Agent(configuration: device.configuration(state: "other"))
        let error = #expect(throws: AgentError.self) { try second.run() }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("socket") == true)
        device.stop()
        #expect(unsafe access(device.socket, F_OK) != 0)
        let left = unsafe cposix_listen_unix(device.socket, 0o660, 1)
        try #require(left >= 0)
        close(left)
        try device.start()
        defer { device.stop() }
        #expect(try device.connect().request(["op": "status"])["ok"] == true)
    }

    @Test func `leaves a file alone that is no socket`() throws {
        let file = unsafe open(device.socket, O_CREAT | O_WRONLY, 0o600)
        close(file)
        defer { device.stop() }
        let error = #expect(throws: AgentError.self) { try device.start() }
        #expect(error?.code == .busy)
        #expect(unsafe access(device.socket, F_OK) == 0)
    }

    @Test(
        .enabled(if: geteuid() == 0, "only root can play another user"),
        arguments: ["check", "hold", "unhold", "rollback"])
    func `takes no orders from another user, who may ask all the same`(order: String) throws {
        try device.start()
        defer { device.stop() }
        try #require(unsafe chmod(device.scratch.path, 0o755) == 0)
        try #require(unsafe chmod(device.socket, 0o666) == 0)
        let file = device.scratch.path("answer.json")
        let refused = try OtherUser.ask("{\"op\":\"\(order)\"}", at: device.socket, through: file)
        #expect(refused["code"] == "forbidden")
        #expect(
            refused["detail"]
                == .string("\(order): expected root or user 0, got user \(OtherUser.number)"))
        let status = try OtherUser.ask("{\"op\":\"status\"}", at: device.socket, through: file)
        #expect(status["ok"] == true)
        #expect(status["held"] == false)
    }

    // MARK: What comes from outside

    @Test(arguments: [
        "", "{", "[]", "{\"op\":\"status\",\"op\":\"lease\"}", "{\"op\":\"reboot\"}",
        "{\"op\":\"status\",\"more\":1}", "{\"op\":\"turn\",\"latency_us\":1}",
        "{\"op\":\"lease\",\"application\":\"" + String(repeating: "x", count: 65) + "\"}",
        "{\"op\":\"turn\",\"version\":\"1.0.0\",\"latency_us\":-1,\"cpu_us\":0}",
    ]) func `answers what it cannot read with an error, and goes on`(line: String) throws {
        try device.start()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        wire.send(line + "\n")
        let answer = try wire.line()
        #expect(answer["ok"] == false)
        #expect(answer["code"] == "malformed_request")
        wire.send("{\"op\":\"status\"}\n")
        #expect(try wire.line()["ok"] == true)
    }

    @Test func `cuts off a line without an end, and serves the others`() throws {
        try device.start()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        wire.send(String(repeating: "x", count: 70_000))
        #expect(wire.isClosed())
        #expect(try device.connect().request(["op": "status"])["ok"] == true)
    }

    @Test func `cuts off a peer that asks and never reads`() throws {
        try device.start()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        for _ in 0..<20 { wire.send(String(repeating: "{\"op\":\"status\"}\n", count: 100)) }
        // Each answer here is a turn of the agent's loop, in which it takes eight lines from there.
        let client = try device.connect()
        for _ in 0..<250 { #expect(try client.request(["op": "status"])["ok"] == true) }
        #expect(wire.isClosed())
    }

    @Test func `holds a bounded number of connections`() throws {
        try device.start()
        defer { device.stop() }
        var wires: [Wire] = []
        for _ in 0..<64 {
            let wire = try Wire(device.socket)
            wire.send("{\"op\":\"status\"}\n")
            #expect(try wire.line()["ok"] == true)
            wires.append(wire)
        }
        #expect(try Wire(device.socket).isClosed())
        wires.removeLast()
        wires[0].send("{\"op\":\"status\"}\n")
        #expect(try wires[0].line()["ok"] == true)
        #expect(try device.connect().request(["op": "status"])["ok"] == true)
    }

    @Test func `takes several requests in one packet, and one request in several`() throws {
        try device.start()
        defer { device.stop() }
        let wire = try Wire(device.socket)
        wire.send("{\"op\":\"status\"}\n{\"op\":\"explain\"}\n{\"op\":")
        #expect(try wire.line()["type"] == "status")
        #expect(try wire.line()["type"] == "explain")
        wire.send("\"hold\"}\n")
        #expect(try wire.line() == ["ok": true])
    }
}
