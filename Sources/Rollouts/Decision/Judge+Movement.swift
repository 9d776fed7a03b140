import Primitives

extension Judge {
    /// What holds for a swap forward, and of it what holds for a first install.
    ///
    /// Going back is free, but for one thing: a bundle that is new here needs offline metadata in force.
    mutating func judgeMovement(_ offer: Offer, isNew: Bool) {
        if isNew || offer.direction != .back { judgeOfflineMetadata() }
        guard offer.direction != .back else { return }
        let own = limits(of: offer)
        judgeTimestamp(freshness: own.freshness)
        // A first install of a release that is still on its way is held up as a swap forward is.
        let isOnItsWay = offer.bundle == plan.candidate && plan.state != .completed
        guard offer.direction == .forward || isOnItsWay else { return }
        look(.frozen, plan.state != .frozen, ["state": plan.state.rawValue])
        if offer.role == .pin, isOnItsWay {
            look(.paused, plan.state != .paused, ["state": plan.state.rawValue])
        }
        let window = plan.freezeWindows.first { $0.contains(now) }
        look(
            .inFreezeWindow, window == nil, until: window?.end(after: now),
            ["window": window?.description ?? "none"])
        look(.heldHere, !device.isHeld, ["held": device.isHeld ? "yes" : "no"])
        judgeDwell(own.dwell)
    }

    private mutating func judgeOfflineMetadata() {
        let expired = device.freshness.expiredOfflineRoles
        look(
            .offlineMetadataExpired, expired.isEmpty,
            ["expired": expired.isEmpty ? "none" : expired.joined(separator: " ")])
    }

    private mutating func judgeTimestamp(freshness: Int64) {
        let timestamp = device.freshness
        look(
            .timestampTooOld, now - timestamp.timestampSigned <= freshness,
            ["signed": "\(timestamp.timestampSigned)", "seconds allowed": "\(freshness)"])
        look(
            .timestampExpired, now < timestamp.timestampExpires,
            ["expires": "\(timestamp.timestampExpires)"])
    }

    private mutating func judgeDwell(_ dwell: Int64) {
        guard let last = device.lastForwardSwap else {
            look(.dwelling, true, ["last swap": "never"])
            return
        }
        let end = last + dwell
        look(.dwelling, now >= end, until: end, ["last swap": "\(last)", "seconds": "\(dwell)"])
    }

    /// The limits of the version's own policy, or the defaults where none is listed.
    private func limits(of offer: Offer) -> (freshness: Int64, dwell: Int64) {
        let listed = listing.policies(of: offer.bundle, model: device.model).first
        let own = offer.role == .candidate ? policy : listed
        return (
            own?.freshness ?? PolicyDefaults.freshness, own?.minDwell ?? PolicyDefaults.minDwell
        )
    }
}
