package import Primitives

/// Makes one-time enrolment tokens, each good for one device.
package struct Enrolments: Sendable {
    /// The most tokens that one request makes.
    package static let countLimit = 10_000
    /// The longest life of one, in seconds: a year.
    package static let longestLife: Int64 = 365 * 86_400

    private let store: any RegistryStoring

    package init(store: any RegistryStoring) {
        self.store = store
    }

    /// Makes some tokens that all expire after `life` seconds.
    ///
    /// - Throws: `.forbidden` without `operate`; `.malformed`.
    package func make(
        count: Int64, life: Int64, by actor: Principal, at now: UTCTime,
        using random: inout some RandomNumberGenerator
    ) throws(RegistryError) -> [BearerText] {
        try authorise(actor, .operate, on: .registry)
        try check("count", count, in: 1...Int64(Self.countLimit))
        try check("expires_s", life, in: 1...Self.longestLife)
        let expires = now + life
        let texts = (0..<count).map { _ in BearerText(.enrolment, using: &random) }
        try store.write { (records) throws(RegistryError) in
            for text in texts {
                try records.setEnrolment(
                    EnrolmentRecord(digest: text.digest, created: now, expires: expires))
            }
            try records.append(
                .enrolmentsMade(count: count, expires: expires), by: Actor(actor), at: now)
        }
        return texts
    }

    private func check(
        _ path: String, _ value: Int64, in range: ClosedRange<Int64>
    ) throws(RegistryError) {
        guard range.contains(value) else {
            throw .malformed(
                FieldError(
                    path: path, expected: "\(range.lowerBound) to \(range.upperBound)",
                    found: "\(value)"))
        }
    }
}
