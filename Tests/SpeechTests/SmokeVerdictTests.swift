import Primitives
import Speech
import Testing

struct SmokeVerdictTests {
    private func judge(_ end: ChildEnd, class name: String = "edge-b") throws -> SmokeVerdict {
        SmokeVerdict.judge(
            end, suite: try SmokeSamples.suite(), deviceClass: try SmokeSamples.deviceClass(name))
    }

    private func failure(_ end: ChildEnd, class name: String = "edge-b") throws -> SmokeFailure {
        let verdict = try judge(end, class: name)
        guard case .failed(let failure, _) = verdict else {
            Issue.record("expected a failure, got \(verdict)")
            return SmokeFailure(reason: .badOutput, isLasting: false)
        }
        return failure
    }

    @Test func `passes right words within the budgets, and keeps the figures`() throws {
        let end = SmokeSamples.end(.exited(0), .complete(try SmokeSamples.figures()))
        guard case .passed(let measured) = try judge(end) else {
            Issue.record("expected it to pass")
            return
        }
        #expect(measured.wordErrorRate == WordErrorRate(edits: 0, words: 5))
        #expect(measured.utterances == 2)
        #expect(measured.wallP50Microseconds == 4_010 && measured.wallP95Microseconds == 4_090)
        #expect(measured.audioMilliseconds == 3_000)
        #expect(measured.cpuMicroseconds == 6_000)
        #expect(measured.cpuMicrosecondsPerSecond == 2_000)
        #expect(measured.peakResidentBytes == 30 << 20)
        #expect(measured.loadMicroseconds == 15_000)
        #expect(measured.runtimeVersion == "2.0.1")
    }

    static let endings: [(ChildEnd.Ending, SmokeFailure)] = [
        (.exited(255), SmokeFailure(reason: .exit(255), isLasting: true)),
        (.exited(1), SmokeFailure(reason: .exit(1), isLasting: true)),
        (.exited(2), SmokeFailure(reason: .exit(2), isLasting: false)),
        (.exited(3), SmokeFailure(reason: .exit(3), isLasting: false)),
        (.exited(4), SmokeFailure(reason: .exit(4), isLasting: true)),
        (.exited(5), SmokeFailure(reason: .exit(5), isLasting: false)),
        (.exited(6), SmokeFailure(reason: .exit(6), isLasting: false)),
        (.signalled(6), SmokeFailure(reason: .signal(6), isLasting: true)),
        (.signalled(8), SmokeFailure(reason: .signal(8), isLasting: true)),
        (.signalled(11), SmokeFailure(reason: .signal(11), isLasting: true)),
        (.signalled(9), SmokeFailure(reason: .signal(9), isLasting: false)),
        (.signalled(24), SmokeFailure(reason: .timeout, isLasting: true)),
        (.timedOut, SmokeFailure(reason: .timeout, isLasting: false)),
    ]

    @Test(arguments: endings.indices)
    func `names how the child ended, whatever it had printed`(index: Int) throws {
        let (ending, failure) = Self.endings[index]
        let result = SmokeResult.complete(try SmokeSamples.figures())
        #expect(try self.failure(SmokeSamples.end(ending, result)) == failure)
        #expect(try self.failure(SmokeSamples.end(ending)) == failure)
    }

    @Test func `takes a timeout for lasting where the child had the CPU for itself`() throws {
        let alone = SmokeSamples.end(.timedOut, cpu: 7_000)
        #expect(try failure(alone) == SmokeFailure(reason: .timeout, isLasting: true))
        let starved = SmokeSamples.end(.timedOut, cpu: 6_999)
        #expect(try failure(starved) == SmokeFailure(reason: .timeout, isLasting: false))
    }

    @Test func `tells the failures that the child prints`() throws {
        let refused = try failure(SmokeSamples.end(.exited(0), .nullCreate))
        #expect(refused == SmokeFailure(reason: .nullCreate, isLasting: true))
        let memory = try failure(SmokeSamples.end(.exited(0), .outOfMemory))
        #expect(memory == SmokeFailure(reason: .memory, isLasting: false))
    }

    @Test func `takes no output, noise and results of other utterances for bad output`() throws {
        let bad = SmokeFailure(reason: .badOutput, isLasting: true)
        #expect(try failure(SmokeSamples.end()) == bad)
        #expect(try failure(SmokeSamples.end(output: Array("done\n".utf8))) == bad)
        let line = SmokeResult.complete(try SmokeSamples.figures()).line
        #expect(try failure(SmokeSamples.end(output: line + line)) == bad)
        let fewer = SmokeResult.complete(try SmokeSamples.figures(["turn on the light"]))
        #expect(try failure(SmokeSamples.end(.exited(0), fewer)) == bad)
        let others = SmokeResult.complete(
            try SmokeSamples.figures(wavs: ["u/2.wav", "u/1.wav"]))
        #expect(try failure(SmokeSamples.end(.exited(0), others)) == bad)
    }

    @Test func `rejects wrong words, and says how many`() throws {
        let result = SmokeResult.complete(try SmokeSamples.figures(["turn off the light", "stop"]))
        let verdict = try judge(SmokeSamples.end(.exited(0), result))
        guard case .failed(let failure, let measured?) = verdict else {
            Issue.record("expected a measured failure, got \(verdict)")
            return
        }
        #expect(failure == SmokeFailure(reason: .wordErrorRate, isLasting: true))
        #expect(measured.wordErrorRate == WordErrorRate(edits: 1, words: 5))
    }

    @Test func `judges CPU time by the device class, to the microsecond`() throws {
        // 3 s of sound at 5 ms a second for edge-a, at 20 for the others.
        func end(_ cpu: Int64) throws -> ChildEnd {
            SmokeSamples.end(.exited(0), .complete(try SmokeSamples.figures(cpu: [cpu, 0])))
        }
        let slow = SmokeFailure(reason: .latency, isLasting: true)
        #expect(try failure(end(15_001), class: "edge-a") == slow)
        #expect(try failure(end(60_001)) == slow)
        for (cpu, name) in [(15_000, "edge-a"), (60_000, "edge-b")] as [(Int64, String)] {
            guard case .passed = try judge(end(cpu), class: name) else {
                Issue.record("expected \(cpu) us to pass for \(name)")
                continue
            }
        }
    }

    @Test func `fails memory over the limit`() throws {
        let passingTrouble = SmokeFailure(reason: .memory, isLasting: false)
        let child = SmokeResult.complete(try SmokeSamples.figures(resident: 512 << 20 + 1))
        #expect(try failure(SmokeSamples.end(.exited(0), child)) == passingTrouble)
        let good = SmokeResult.complete(try SmokeSamples.figures(resident: 512 << 20))
        guard case .passed = try judge(SmokeSamples.end(.exited(0), good))
        else {
            Issue.record("expected exactly the limit to pass")
            return
        }
    }

    @Test func `names wrong words before slowness`() throws {
        let result = SmokeResult.complete(
            try SmokeSamples.figures(["", ""], cpu: [9_000_000, 0], resident: 1 << 40))
        #expect(try failure(SmokeSamples.end(.exited(0), result)).reason == .wordErrorRate)
    }
}

struct SmokeFailureReasonTests {
    static let words: [(SmokeFailureReason, String)] = [
        (.nullCreate, "null-create"), (.exit(255), "exit:255"), (.exit(-1), "exit:-1"),
        (.signal(6), "signal:ABRT"), (.signal(8), "signal:FPE"), (.signal(11), "signal:SEGV"),
        (.signal(9), "signal:KILL"), (.signal(31), "signal:SYS"), (.signal(1), "signal:HUP"),
        (.signal(34), "signal:34"), (.timeout, "timeout"), (.badOutput, "bad-output"),
        (.wordErrorRate, "wer"), (.latency, "latency"), (.memory, "memory"),
    ]

    @Test(arguments: words.indices)
    func `has one word, read back to the same reason`(index: Int) {
        let (reason, word) = Self.words[index]
        #expect(reason.description == word)
        #expect(SmokeFailureReason(word) == reason)
    }

    @Test(arguments: [
        "", "exit", "exit:", "exit:x", "exit:01", "exit:1:2", "signal:", "signal:NONE",
        "signal:6", "signal:65", "signal:034", "WER", "other:1",
    ])
    func `reads no other word`(word: String) {
        #expect(SmokeFailureReason(word) == nil)
    }
}
