package import Primitives

/// One candidate on one device.
package struct CandidateKey: Sendable, Hashable {
    package let device: DeviceID
    package let model: ModelName
    package let candidate: SemanticVersion

    package init(device: DeviceID, model: ModelName, candidate: SemanticVersion) {
        self.device = device
        self.model = model
        self.candidate = candidate
    }

    /// Nil for a report that is about no candidate.
    package init?(of report: Report) {
        guard let candidate = report.candidate else { return nil }
        self.init(device: report.device, model: report.model, candidate: candidate)
    }
}

/// How far one attempt came; of two, the later stays.
package enum AttemptOutcome: Int, Sendable, Hashable, Comparable {
    case started
    case passed
    case failed

    package static func < (left: AttemptOutcome, right: AttemptOutcome) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What happened to a candidate on a device, which later reports do not undo.
///
/// Merging is associative, commutative and idempotent.
package struct CandidateFacts: Sendable, Hashable {
    /// Attempts beyond this many are not told apart; the first ones stay.
    package static let attemptLimit = 64

    /// By attempt number.
    package private(set) var attempts: [Int64: AttemptOutcome] = [:]
    /// The first swap beacon, by the device's clock; exposure counts from its arrival at the registry.
    package private(set) var beaconAt: UTCTime?
    /// Where the first swap beacon stands among the device's reports: what comes after it is a sign of life.
    package private(set) var beacon: ReportOrder?
    /// The first local rollback.
    package private(set) var rollback: ReportOrder?
    /// Whether the device has ever committed the candidate.
    package private(set) var committed = false
    /// The most crashes of the model that a report told of.
    package private(set) var crashes: Int64 = 0

    package init() {}

    package var attemptsFailed: Int { attempts.values.count { $0 == .failed } }
    package var attemptsStarted: Int { attempts.count }
    package var rolledBack: Bool { rollback != nil }

    package mutating func take(_ report: Report) {
        var news = CandidateFacts()
        if let number = report.attempt?.number {
            switch report.kind {
            case .attempt: news.attempts[number] = .started
            case .smoke:
                news.attempts[number] = report.smoke?.failure == nil ? .passed : .failed
            case .periodic, .swapBeacon, .transition, .localRollback: break
            }
        }
        if report.kind == .swapBeacon {
            news.beaconAt = report.madeAt
            news.beacon = report.order
        }
        if report.kind == .localRollback { news.rollback = report.order }
        news.committed = report.state == .committed && report.version == report.candidate
        if report.version == report.candidate { news.crashes = report.tally.counters.crashes }
        self = merging(news)
    }

    package func merging(_ other: CandidateFacts) -> CandidateFacts {
        var sum = self
        sum.attempts.merge(other.attempts) { max($0, $1) }
        if sum.attempts.count > Self.attemptLimit {
            let kept = Set(sum.attempts.keys.sorted().prefix(Self.attemptLimit))
            sum.attempts = sum.attempts.filter { kept.contains($0.key) }
        }
        sum.beaconAt = [beaconAt, other.beaconAt].compactMap(\.self).min()
        sum.beacon = [beacon, other.beacon].compactMap(\.self).min()
        sum.rollback = [rollback, other.rollback].compactMap(\.self).min()
        sum.committed = committed || other.committed
        sum.crashes = max(crashes, other.crashes)
        return sum
    }
}

// MARK: As a registry stores them

extension CandidateFacts {
    private static let words: [(outcome: AttemptOutcome, word: String)] = [
        (.started, "started"), (.passed, "passed"), (.failed, "failed"),
    ]

    package var json: JSON {
        let tries = attempts.map { number, outcome in
            (String(number), JSON.string(Self.words[outcome.rawValue].word))
        }
        var fields: JSONObject = [
            "attempts": .object(JSONObject(tries)),
            "committed": .bool(committed), "crashes": .integer(crashes),
        ]
        fields["beacon_at"] = beaconAt.map { .integer($0.seconds) }
        fields["beacon"] = beacon?.json
        fields["rollback"] = rollback?.json
        return .object(fields)
    }

    /// Reads what `json` wrote.
    package init(_ json: JSON) throws(FieldError) {
        self.init()
        var fields = try Fields(json)
        for (name, json, path) in try fields.map("attempts", limit: Self.attemptLimit) {
            let outcome = Self.words.first { $0.word == json.string }?.outcome
            guard let number = Int64(name), let outcome else {
                throw FieldError(path: path, expected: "an attempt's outcome", found: json.kind)
            }
            attempts[number] = outcome
        }
        committed = try fields.bool("committed")
        crashes = try fields.integer("crashes", in: 0...Int64.max)
        beaconAt = try fields.optionalInteger("beacon_at", in: 0...UTCTime.latest.seconds)
            .map { UTCTime(clamping: $0) }
        beacon = try Self.order("beacon", in: &fields)
        rollback = try Self.order("rollback", in: &fields)
        try fields.refuseUnknown()
    }

    private static func order(
        _ name: String, in fields: inout Fields
    ) throws(FieldError) -> ReportOrder? {
        guard var inner = try fields.optionalFields(name) else { return nil }
        let order = ReportOrder(
            epoch: try inner.integer("epoch", in: 0...Int64.max),
            sequence: try inner.integer("sequence", in: 0...Int64.max))
        try inner.refuseUnknown()
        return order
    }
}

extension ReportOrder {
    fileprivate var json: JSON {
        ["epoch": .integer(epoch), "sequence": .integer(sequence)]
    }
}
