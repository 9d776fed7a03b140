package import Primitives

/// The device's place in a rollout, as it decided it itself from policy and plan.
package struct RolloutPlace: Sendable, Hashable {
    /// TUF version of `plans.<m>`.
    package let plan: Int64
    /// Index of the stage, from 0.
    package let stage: Int64
    package let arm: Arm
    /// The stage window's name, which is when the stage began; figures start anew with each.
    package let window: UTCTime

    package init(plan: Int64, stage: Int64, arm: Arm, window: UTCTime) {
        self.plan = plan
        self.stage = stage
        self.arm = arm
        self.window = window
    }

    var json: JSON {
        [
            "plan": .integer(plan), "stage": .integer(stage), "arm": .string(arm.rawValue),
            "window": .integer(window.seconds),
        ]
    }

    init(reading fields: inout Fields) throws(FieldError) {
        plan = try fields.integer("plan", in: 1...(1 << 53))
        stage = try fields.integer("stage", in: 0...63)
        arm = try fields.parse("arm", "'treated' or 'control'") { Arm(rawValue: $0) }
        window = UTCTime(
            clamping: try fields.integer("window", in: 0...UTCTime.latest.seconds))
    }
}

/// One try of a candidate on this device; tries are counted before they start.
package struct AttemptMark: Sendable, Hashable {
    /// From 1, for each candidate.
    package let number: Int64
    package let trace: TraceID

    package init(number: Int64, trace: TraceID) {
        self.number = number
        self.trace = trace
    }

    var json: JSON { ["number": .integer(number), "trace": .string(trace.description)] }

    init(reading fields: inout Fields) throws(FieldError) {
        number = try fields.integer("number", in: 1...1_000_000)
        trace = try fields.parse("trace", TraceID.expected, TraceID.init)
    }
}

/// What a smoke test measured; figures that a crash prevented are absent.
package struct SmokeFigures: Sendable, Hashable {
    /// Nil for a smoke test that passed.
    package var failure: ReasonCode?
    /// Utterances decoded.
    package var utterances: Int64 = 0
    /// Word error rate in thousandths.
    package var werThousandths: Int64?
    /// Processor time for each second of audio, in microseconds.
    package var cpuMicrosecondsPerAudioSecond: Int64?
    /// Wall time of an utterance in microseconds.
    package var p50Microseconds: Int64?
    package var p95Microseconds: Int64?
    package var memoryPeakKiB: Int64?

    package init(failure: ReasonCode? = nil) { self.failure = failure }

    var json: JSON {
        var fields: JSONObject = [
            "outcome": .string(failure?.rawValue ?? Self.passed),
            "utterances": .integer(utterances),
        ]
        fields["wer"] = werThousandths.map { .integer($0) }
        fields["cpu_us_per_audio_s"] = cpuMicrosecondsPerAudioSecond.map { .integer($0) }
        fields["p50_us"] = p50Microseconds.map { .integer($0) }
        fields["p95_us"] = p95Microseconds.map { .integer($0) }
        fields["memory_peak_kib"] = memoryPeakKiB.map { .integer($0) }
        return .object(fields)
    }

    init(reading fields: inout Fields, strict: Bool) throws(FieldError) {
        let durations = 0...TurnRecord.durationLimit
        failure = try fields.parse("outcome", "'passed' or a reason code") { text in
            text == Self.passed ? .some(nil) : ReasonCode(reading: text, strict: strict).map { $0 }
        }
        utterances = try fields.integer("utterances", in: 0...100_000)
        werThousandths = try fields.optionalInteger("wer", in: 0...100_000)
        cpuMicrosecondsPerAudioSecond = try fields.optionalInteger(
            "cpu_us_per_audio_s", in: durations)
        p50Microseconds = try fields.optionalInteger("p50_us", in: durations)
        p95Microseconds = try fields.optionalInteger("p95_us", in: durations)
        memoryPeakKiB = try fields.optionalInteger("memory_peak_kib", in: 0...(1 << 40))
    }

    private static let passed = "passed"
}

/// The counters that made a device go back in probation (docs/gate.md).
package struct ProbationEvidence: Sendable, Hashable {
    package let channel: ProbationChannel
    /// Bad turns among `turns`.
    package let bad: Int64
    package let turns: Int64
    /// Natural logarithm of E, in thousandths.
    package let logE: Int64

    package init(channel: ProbationChannel, bad: Int64, turns: Int64, logE: Int64) {
        self.channel = channel
        self.bad = bad
        self.turns = turns
        self.logE = logE
    }

    var json: JSON {
        [
            "channel": .string(channel.rawValue), "bad": .integer(bad), "turns": .integer(turns),
            "ln_e": .integer(logE),
        ]
    }

    init(reading fields: inout Fields) throws(FieldError) {
        channel = try fields.parse("channel", "'mid', 'tail' or 'error'") {
            ProbationChannel(rawValue: $0)
        }
        bad = try fields.integer("bad", in: 0...TurnCounters.limit)
        turns = try fields.integer("turns", in: 0...TurnCounters.limit)
        logE = try fields.integer("ln_e", in: -1_000_000_000_000...1_000_000_000_000)
    }
}

/// A word error proxy over the turns for which the application knew their words (`WordCount`).
package struct WordErrorProxy: Sendable, Hashable {
    package let thousandths: Int64
    package let turns: Int64

    package init(thousandths: Int64, turns: Int64) {
        self.thousandths = thousandths
        self.turns = turns
    }

    /// Nil where no word was counted.
    package init?(_ words: WordCount) {
        guard let thousandths = words.thousandths else { return nil }
        self.init(thousandths: thousandths, turns: words.turns)
    }

    var json: JSON { ["thousandths": .integer(thousandths), "turns": .integer(turns)] }

    init(reading fields: inout Fields) throws(FieldError) {
        thousandths = try fields.integer("thousandths", in: 0...100_000)
        turns = try fields.integer("turns", in: 1...TurnCounters.limit)
    }
}

/// The device's surroundings, as far as it knows them.
package struct DeviceEnvironment: Sendable, Hashable {
    /// Tenths of a degree Celsius.
    package var temperatureTenths: Int64?
    package var batteryPercent: Int64?
    /// The class of its microphone.
    package var microphone: AttributeName?

    package init(
        temperatureTenths: Int64? = nil, batteryPercent: Int64? = nil,
        microphone: AttributeName? = nil
    ) {
        self.temperatureTenths = temperatureTenths
        self.batteryPercent = batteryPercent
        self.microphone = microphone
    }
}

extension ReasonCode {
    /// Reads a code; where a newer agent wrote it (not strict), an unknown one is `other`.
    init?(reading text: String, strict: Bool) {
        guard let code = ReasonCode(rawValue: text) ?? (strict ? nil : .other) else { return nil }
        self = code
    }
}
