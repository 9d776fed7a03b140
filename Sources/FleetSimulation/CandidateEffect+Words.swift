extension CandidateEffect {
    /// What `apply` reads, for error messages.
    package static var expected: String {
        let known = (factors.keys.sorted() + shares.keys.sorted()).joined(separator: ", ")
        return "one of \(known), '=', and a factor up to 1000 or a share up to 1"
    }

    private static let factors: [String: any WritableKeyPath<CandidateEffect, Double> & Sendable] =
        [
            "latency": \.latency, "errors": \.errors, "false_positives": \.falsePositives,
            "escalations": \.escalations, "abandonment": \.abandonment,
        ]
    private static let shares: [String: any WritableKeyPath<CandidateEffect, Double> & Sendable] = [
        "bricked": \.bricked, "failed_attempts": \.failedAttempts,
        "local_rollbacks": \.localRollbacks,
    ]

    /// Takes one thing over that a person says of a candidate, such as `latency=1.3` or `bricked=0.05`.
    ///
    /// - Returns: false for words that mean nothing here, and nothing changes.
    package mutating func apply(_ text: String) -> Bool {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let value = Double(parts[1]) else { return false }
        if let path = Self.factors[parts[0]], (0...1_000).contains(value) {
            self[keyPath: path] = value
        } else if let path = Self.shares[parts[0]], (0...1).contains(value) {
            self[keyPath: path] = value
        } else {
            return false
        }
        return true
    }
}
