/// What an engine has done and found.
package struct Tally: Sendable {
    package let engine: String
    /// Places at which the device was ended.
    package var points = 0
    package var runs = 0
    package var failures: [String] = []
    /// Failures that are known, by name, and how often they were met.
    package var known: [String: Int] = [:]

    package init(engine: String) { self.engine = engine }

    /// Defects that are known and not mended, by what a complaint about them says.
    static let knownDefects = [
        "applications have no agent, for it does not start": "D1 (a full disk forbids a start)"
    ]

    /// Counts a failure, as known where it is.
    mutating func note(_ failure: String) {
        for (words, name) in Self.knownDefects where failure.contains(words) {
            known[name, default: 0] += 1
            return
        }
        failures.append(failure)
    }

    package var line: String {
        "\(engine): \(points) points, \(runs) runs, \(failures.count) failures"
    }
}
