/// What driven devices have asked for, and what it took.
struct DriveFigures: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case enrolment
        case metadata
        case target
        case reports
    }

    /// Requests of one kind.
    struct Cost: Sendable {
        var failed = 0
        /// Of those that were answered well.
        var microseconds: [Int64] = []

        var requests: Int { failed + microseconds.count }

        /// In microseconds; nil where none was answered.
        func percentile(_ percent: Int) -> Int64? {
            guard !microseconds.isEmpty else { return nil }
            let sorted = microseconds.sorted()
            return sorted[min(sorted.count - 1, sorted.count * percent / 100)]
        }
    }

    private(set) var costs: [Kind: Cost] = [:]
    private(set) var acceptedReports = 0
    private(set) var turns = 0
    /// What devices run at the end, as text; "none" before a first install.
    private(set) var versions: [String: Int] = [:]
    /// Why devices could not go on, and how often.
    private(set) var troubles: [String: Int] = [:]

    var failures: Int { troubles.values.reduce(0, +) }
    var requests: Int { costs.values.reduce(0) { $0 + $1.requests } }

    /// The most frequent trouble.
    var troubleText: String {
        troubles.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "none"
    }

    /// Counts a request that took so long; nil for one that failed.
    mutating func count(_ kind: Kind, microseconds: Int64?) {
        if let microseconds {
            costs[kind, default: Cost()].microseconds.append(microseconds)
        } else {
            costs[kind, default: Cost()].failed += 1
        }
    }

    mutating func countAccepted(_ count: Int) { acceptedReports += count }

    mutating func countTrouble(_ text: String) { troubles[text, default: 0] += 1 }

    mutating func countDevice(running version: String, turns: Int) {
        versions[version, default: 0] += 1
        self.turns += turns
    }

    mutating func merge(_ other: DriveFigures) {
        for (kind, cost) in other.costs {
            costs[kind, default: Cost()].failed += cost.failed
            costs[kind, default: Cost()].microseconds += cost.microseconds
        }
        acceptedReports += other.acceptedReports
        turns += other.turns
        versions.merge(other.versions, uniquingKeysWith: +)
        troubles.merge(other.troubles, uniquingKeysWith: +)
    }
}
