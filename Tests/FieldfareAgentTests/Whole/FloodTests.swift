import FieldfareAgent
import PosixFiles
import Primitives
import SlotHost
import TestSupport
import Testing

/// Applications that ask too much, and one that does not stay up, at the socket of a running agent.
@Suite(.serialized) struct FloodTests {
    private static let turns: String = {
        let turn = #"{"version":"1.0.0","latency_us":400000,"cpu_us":40000}"#
        return #"{"op":"turns","turns":["# + [turn, turn, turn, turn].joined(separator: ",") + "]}"
    }()

    @Test func `an update and a way back end while a client floods the socket`() throws {
        let device = try RunningDevice()
        let flood = try Flood(
            62, of: [Self.turns, #"{"op":"lease","application":"flood"}"#],
            at: device.agent.socket)
        defer { flood.stop() }
        try device.release("1.1.0")
        try device.wait(for: "1.1.0")
        var turn = Turn()
        turn.isError = true
        try device.application.record([turn, turn, turn], of: "1.1.0")
        try device.wait(for: "1.0.0")
        let answers = flood.answers
        #expect(answers.allSatisfy { $0 > 0 }, "\(answers)")
    }

    @Test func `a client that takes every connection keeps no other out`() throws {
        let device = try RunningDevice()
        // One more place is this process's own: the device's application.
        let flood = try Flood(63, of: [#"{"op":"status"}"#], at: device.agent.socket)
        defer { flood.stop() }
        let other = try ChildProcess([
            ChildProcess.program("model-consumer"), "lease", device.agent.socket, "assistant",
        ])
        #expect(String(decoding: other.output.dropLast(), as: UTF8.self) == "1.0.0")
    }

    /// Seen by the kernel's word on who connected: each is a process of its own.
    @Test func `an application that restarts again and again makes a new version fall`() throws {
        let device = try RunningDevice()
        try device.release("1.1.0")
        try device.wait(for: "1.1.0")
        let application = [
            try ChildProcess.program("model-consumer"), "lease", device.agent.socket, "assistant",
        ]
        var versions: [String] = []
        for _ in 1...4 {
            let child = try ChildProcess(application)
            versions.append(String(decoding: child.output.dropLast(), as: UTF8.self))
        }
        // The first is none; the second of two restarts is answered after the way back.
        #expect(versions == ["1.1.0", "1.1.0", "1.0.0", "1.0.0"])
        try device.wait(for: "1.0.0")
        let trials = try device.agent.connect().request(["op": "status"])["trials"]?.array ?? []
        #expect(trials.contains { $0["version"] == "1.1.0" && $0["rejected"] != nil }, "\(trials)")
    }
}
