package import Primitives
package import Rollouts
import TUF

extension MemoryRegistry {
    private static let day: Int64 = 86_400

    /// A policy that lets every device into its first stage at once.
    package static func everybody(from start: UTCTime) -> JSON {
        [
            "not_before": .integer(start.seconds - 30 * day),
            "not_after": .integer(start.seconds + 300 * day), "freshness_s": .integer(300 * day),
            "stages": .array(
                ["beta", "stable"].map { name in
                    [
                        "name": .string(name), "share": 10_000, "cap": 10_000, "least_devices": 1,
                        "least_soak_s": 86_400, "most_soak_s": 172_800,
                        "required_blind_spot": [:],
                    ]
                }),
            "hold_back": ["share": 0, "cap": 0, "least_devices": 0],
            "burn_in": ["seconds": 0, "turns": 0], "min_dwell_s": 0,
        ]
    }

    /// Signs a plan of a policy for everybody, and all the metadata anew, good for 300 days.
    ///
    /// - Parameters:
    ///   - candidate: what the plan releases.
    ///   - baseline: what it replaces; nil for the first release.
    ///   - state: `.completed` has both stages behind it, all else is in the first one.
    ///   - withdrawn: what nobody shall run any more.
    ///   - now: when that is signed.
    package func sign(
        _ candidate: BundleReference, over baseline: BundleReference?,
        state: Plan.State = .running, withdrawn: [BundleReference] = [], at now: UTCTime
    ) {
        plan(
            candidate, over: baseline, state: state,
            stages: state == .completed
                ? [now + -20 * Self.day, now + -10 * Self.day] : [now],
            withdrawn: withdrawn.map {
                Withdrawal(version: $0.version, sha256: $0.sha256, at: now)
            })
        simulator.edit { repository in
            repository.timestamp.signedAt = now
            repository.timestamp.expires = now + 300 * Self.day
            repository.snapshot.expires = now + 300 * Self.day
            for role in repository.roles.keys {
                repository.roles[role]?.expires = now + 300 * Self.day
                repository.publish(role)
            }
            repository.updateSnapshot()
        }
    }
}
