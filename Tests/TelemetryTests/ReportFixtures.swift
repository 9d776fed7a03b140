import Primitives
import Telemetry
import TestSupport

/// Reports that several suites share.
enum ReportFixtures {
    static let now = UTCTime(clamping: 1_800_000_000)

    static func unwrap<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("a fixture that cannot be") }
        return value
    }

    static func name(_ text: String) -> AttributeName { unwrap(AttributeName(text)) }
    static func version(_ text: String) -> SemanticVersion { unwrap(SemanticVersion(text)) }

    static func device(_ number: UInt8 = 7) -> DeviceID {
        unwrap(DeviceID(bytes: [UInt8](repeating: number, count: 16)))
    }

    static func minimal(
        _ kind: ReportKind = .periodic, device: DeviceID = device(), sequence: Int64 = 1
    ) -> Report {
        Report(
            kind: kind, device: device, epoch: 1_799_000_000, sequence: sequence, madeAt: now,
            model: unwrap(ModelName("commands-en")), channel: .main, state: .committed,
            attributes: DeviceAttributes(
                number: 3, region: name("eu"), deviceClass: name("hub"),
                labels: [name("office"), name("beta")], locale: name("en-GB")))
    }

    static func tally(turns: Int = 40) -> TurnTally {
        var tally = TurnTally()
        for index in 0..<turns {
            var turn = TurnRecord(
                latencyMicroseconds: 300_000 + Int64(index) * 1_000, cpuMicroseconds: 15_000)
            turn.error = index % 20 == 0
            for part in LatencyPart.allCases { turn.parts[part] = 1_000 }
            tally.record(turn)
        }
        return tally
    }

    /// A report with every field there is.
    static func full() -> Report {
        var report = minimal(.smoke, sequence: 9)
        report.version = version("1.4.0")
        report.candidate = version("1.5.0")
        report.place = RolloutPlace(plan: 12, stage: 1, arm: .treated, window: now + -7_200)
        report.attempt = AttemptMark(
            number: 1, trace: unwrap(TraceID("4bf92f3577b34da6a3ce929d0e0e4736")))
        report.state = .attempting
        report.reasons = [.overCPUBudget]
        report.uptimeSeconds = 86_400
        report.exposedAt = now + -3_600
        report.countingSince = now + -3_000
        report.tally = tally()
        report.tally.memoryPeakKiB = 31_000
        var before = tally(turns: 280)
        before.memoryPeakKiB = 30_000
        before.words = WordCount(words: 1_000, errors: 38)
        report.reference = Reference(version: version("1.4.0"), tally: before, leastTurns: 30)
        report.wordErrors = WordErrorProxy(thousandths: 41, turns: 20)
        var smoke = SmokeFigures(failure: .overCPUBudget)
        smoke.utterances = 8
        smoke.werThousandths = 40
        smoke.cpuMicrosecondsPerAudioSecond = 1_500
        smoke.p50Microseconds = 2_100
        smoke.p95Microseconds = 2_300
        smoke.memoryPeakKiB = 30_100
        report.smoke = smoke
        report.probation = ProbationEvidence(channel: .mid, bad: 18, turns: 20, logE: 8_264)
        report.temperatureTenths = 412
        report.batteryPercent = 80
        report.microphone = name("array-4")
        return report
    }

    static func changed(_ json: JSON, _ change: (inout JSONObject) -> Void) -> JSON {
        var fields = json.object ?? [:]
        change(&fields)
        return .object(fields)
    }
}
