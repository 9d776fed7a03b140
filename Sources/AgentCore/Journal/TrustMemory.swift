package import Primitives
package import Rollouts

/// What the device remembers of signed metadata beyond the files themselves.
package struct TrustMemory: Sendable, Hashable {
    /// Withdrawals seen in any plan, newest last; only a lift by the release keys undoes one.
    package private(set) var withdrawn: [Withdrawal] = []
    /// The newest signed moment seen, with the fingerprint of its keys: the device's time is never below it.
    package private(set) var timeFloor = UTCTime.epoch
    package private(set) var timestampKeys: SHA256Digest?
    /// The newest version of `plans.<m>` seen, with the fingerprint of its keys.
    package private(set) var planVersion: Int64 = 0
    package private(set) var planKeys: SHA256Digest?

    package static let withdrawalLimit = 1_024

    package init() {}

    /// Restores what a journal held.
    init(
        withdrawn: [Withdrawal], timeFloor: UTCTime, timestampKeys: SHA256Digest?,
        planVersion: Int64,
        planKeys: SHA256Digest?
    ) {
        self.withdrawn = withdrawn
        self.timeFloor = timeFloor
        self.timestampKeys = timestampKeys
        self.planVersion = planVersion
        self.planKeys = planKeys
    }

    /// The device's time: its clock, but never before the newest signed moment.
    package func now(_ clock: UTCTime) -> UTCTime { max(clock, timeFloor) }

    /// Takes in the moment at which the newest timestamp was signed.
    ///
    /// Other keys than before begin anew: so a fleet recovers from a thief who signed the year 2099.
    package mutating func saw(timestampSignedAt moment: UTCTime, by keys: SHA256Digest) {
        timeFloor = keys == timestampKeys ? max(timeFloor, moment) : moment
        timestampKeys = keys
    }

    /// Whether a plan of this version of `plans.<m>` may be obeyed: not older than the newest one seen.
    package func accepts(planVersion version: Int64, by keys: SHA256Digest) -> Bool {
        keys != planKeys || version >= planVersion
    }

    package mutating func saw(planVersion version: Int64, by keys: SHA256Digest) {
        planVersion = keys == planKeys ? max(planVersion, version) : version
        planKeys = keys
    }

    /// Remembers what a plan withdraws; of the same bundle the latest moment counts.
    package mutating func remember(_ withdrawals: [Withdrawal]) {
        for withdrawal in withdrawals {
            let same = withdrawn.firstIndex {
                $0.version == withdrawal.version && $0.sha256 == withdrawal.sha256
            }
            if let same {
                guard withdrawn[same].at < withdrawal.at else { continue }
                withdrawn.remove(at: same)
            }
            withdrawn.append(withdrawal)
        }
        withdrawn.removeFirst(max(0, withdrawn.count - Self.withdrawalLimit))
    }
}
