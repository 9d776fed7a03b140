import CurlTransport
import Primitives

/// What a driven fleet asks its registry for.
enum RequestKind: String, CaseIterable, Sendable {
    case enrolment
    /// The look for a newer root, which nearly always finds none.
    case root
    case timestamp
    /// Every other metadata file.
    case metadata
    case target
    case reports

    /// The kind of a metadata file by its name, such as `timestamp.json` or `2.root.json`.
    init(ofMetadata name: String) {
        self =
            switch name {
            case "timestamp.json": .timestamp
            case _ where name.hasSuffix(".root.json"): .root
            default: .metadata
            }
    }
}

/// What came of a drive, as the devices see it.
struct DriveFigures: Sendable {
    /// Different texts that are kept of what went wrong; more are counted only.
    static let textLimit = 10

    /// How long each request of a kind took, in microseconds, failed ones included.
    private(set) var microseconds: [RequestKind: [Int64]] = [:]
    /// Requests without the answer that they should have.
    private(set) var failures: [RequestKind: Int] = [:]
    /// Polls and enrolments whose answers could not be trusted.
    private(set) var untrusted = 0
    /// What went wrong, and how often.
    private(set) var texts: [String: Int] = [:]
    /// Reports that were in a batch, and what became of them; what neither counts, nothing was said about.
    private(set) var sent = 0
    private(set) var accepted = 0
    private(set) var refused = 0

    var requests: Int { microseconds.values.reduce(0) { $0 + $1.count } }
    var failed: Int { failures.values.reduce(0, +) }

    mutating func add(_ kind: RequestKind, microseconds duration: Int64, failure: String?) {
        microseconds[kind, default: []].append(duration)
        guard let failure else { return }
        failures[kind, default: 0] += 1
        add(text: "\(kind.rawValue): \(failure)")
    }

    mutating func add(untrusted text: String) {
        untrusted += 1
        add(text: text)
    }

    /// Counts a batch of so many reports, and what the registry said to it: nothing, where the request failed.
    mutating func add(sent: Int, accepted: Int, refused codes: [String]) {
        self.sent += sent
        self.accepted += accepted
        refused += codes.count
        for code in codes { add(text: "report refused: \(code)") }
    }

    private mutating func add(text: String) {
        guard texts[text] != nil || texts.count < Self.textLimit else { return }
        texts[text, default: 0] += 1
    }
}

/// Percentiles of some durations by the nearest rank, in microseconds.
struct LatencyFigures: Sendable, Hashable {
    let p50: Int64
    let p95: Int64
    let p99: Int64
    let most: Int64

    /// Nil where there is no duration.
    init?(_ durations: [Int64]) {
        guard let most = durations.max() else { return nil }
        let sorted = durations.sorted()
        func percentile(_ percent: Int) -> Int64 { sorted[(sorted.count * percent + 99) / 100 - 1] }
        p50 = percentile(50)
        p95 = percentile(95)
        p99 = percentile(99)
        self.most = most
    }
}
