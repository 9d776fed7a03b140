import AgentCore
import FieldfareAgent
import Primitives
import Telemetry
import Testing

@Suite struct LocalRequestTests {
    private func request(_ text: String) throws -> LocalRequest {
        try LocalRequest(parsing: Array(text.utf8))
    }

    @Test func `reads a turn with all its fields`() throws {
        let text =
            #"{"op":"turn","version":"1.4.0","latency_us":412000,"cpu_us":15300,"confidence":921,"#
            + #""escalated":true,"error":false,"false_accept":true,"abandoned":false,"locale":"en-GB","#
            + #""memory_kib":52000,"word_errors":{"words":4,"errors":1}}"#
        guard case .turns(let turns) = try request(text) else {
            Issue.record("expected a turn")
            return
        }
        #expect(turns.count == 1)
        #expect(turns.first?.version.description == "1.4.0")
        let turn = try #require(turns.first?.turn)
        #expect(turn.latencyMicroseconds == 412_000 && turn.cpuMicroseconds == 15_300)
        #expect(turn.confidence == 921 && turn.escalated && turn.falseAccept && !turn.error)
        #expect(turn.memoryKiB == 52_000 && turn.words == WordCount(words: 4, errors: 1))
    }

    @Test func `reads many turns, and the operations without fields`() throws {
        let many = #"{"op":"turns","turns":[{"version":"1.0.0"},{"version":"1.0.0","error":true}]}"#
        guard case .turns(let turns) = try request(many) else {
            Issue.record("expected turns")
            return
        }
        #expect(turns.map(\.turn.error) == [false, true])
        for op in ["status", "watch", "check", "explain", "rollback", "hold", "unhold"] {
            _ = try request(#"{"op":"\#(op)"}"#)
        }
        guard case .order(.hold) = try request(#"{"op":"hold"}"#) else {
            Issue.record("expected an order")
            return
        }
    }

    @Test(arguments: [
        ("", "JSON"), ("[]", "an object"), (#"{"op":"dance"}"#, "an operation"),
        (#"{"op":"status","x":1}"#, "a field of this schema"), (#"{"op":"lease"}"#, "application"),
        (#"{"op":"turn","version":"1"}"#, "SemVer"),
        (#"{"op":"turn","version":"1.0.0","confidence":1001}"#, "0 to 1000"),
        (#"{"op":"turn","version":"1.0.0","latency_us":-1}"#, "0 to"),
        (#"{"op":"turn","version":"1.0.0","memory_kib":0}"#, "1 to"),
        (#"{"op":"turn","version":"1.0.0","word_errors":{"words":1}}"#, "word_errors.errors"),
        (#"{"op":"turns","turns":[{"version":"1.0.0","y":2}]}"#, "turns[0].y"),
    ])
    func `refuses other lines with what was expected`(text: String, part: String) throws {
        do {
            _ = try request(text)
            Issue.record("expected a refusal of \(text)")
        } catch let error as AgentError {
            #expect(error.code == .malformedRequest)
            #expect(error.message.contains(part), "\(error.message)")
        }
    }

    @Test func `refuses a line over its limit`() {
        let text =
            #"{"op":"lease","application":""# + String(repeating: "a", count: 70_000) + #""}"#
        #expect(throws: AgentError.self) { try request(text) }
    }
}
