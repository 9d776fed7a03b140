package import Primitives
package import Rollouts

/// Why a download waits; it says nothing against the bundle.
package enum DownloadWait: String, Sendable, Hashable, CaseIterable {
    case window = "outside_download_window"
    case metered = "metered_link"
    case battery = "low_battery"
}

/// Whether a download may begin or go on at this moment.
package enum DownloadLeave: Sendable, Hashable {
    /// With what the link may carry.
    case go(DownloadRules.Budget?)
    /// Until a moment where that is known, otherwise until the conditions have changed.
    case wait(DownloadWait, until: UTCTime?)

    /// Decides by what the policy allows and the device's owner.
    ///
    /// The way back waits for nothing. A device without a model gets its first one outside of the windows and on a battery,
    /// but not over a metered link that the policy forbids.
    ///
    /// - Parameters:
    ///   - release: what is to be downloaded, with the rules of its policy.
    ///   - conditions: of this moment.
    ///   - windows: the owner's; none is any time.
    ///   - hasModel: whether the device has a usable model meanwhile.
    ///   - now: the device's time.
    package init(
        for release: Release, under conditions: Conditions, windows: [DailyWindow],
        hasModel: Bool, at now: UTCTime
    ) {
        guard release.direction == .forward else {
            self = .go(nil)
            return
        }
        let rules = release.download
        if hasModel, !windows.isEmpty, !windows.contains(where: { $0.contains(now) }) {
            self = .wait(.window, until: windows.map { $0.start(after: now) }.min())
        } else if let rules, !rules.metered, conditions.effectiveLink == .metered {
            self = .wait(.metered, until: nil)
        } else if hasModel, let rules, let charge = conditions.batteryCharge,
            charge < rules.leastBattery
        {
            self = .wait(.battery, until: nil)
        } else {
            self = .go(rules?.budget(of: conditions.effectiveLink))
        }
    }
}
