package import Rollouts

/// What the device is on, as far as somebody can tell.
package struct Conditions: Sendable, Hashable {
    /// The kind of the link to the registry; nil where nobody knows, which counts as metered.
    package var link: LinkKind?
    /// The charge that is left, in thousandths, where the device runs on a battery; nil for one that is fed, or where nobody
    /// knows.
    package var batteryCharge: Int?

    package init(link: LinkKind? = nil, batteryCharge: Int? = nil) {
        self.link = link
        self.batteryCharge = batteryCharge
    }

    /// The kind that counts.
    package var effectiveLink: LinkKind { link ?? .metered }
}

extension DownloadRules {
    /// What a link of this kind may carry.
    package func budget(of link: LinkKind) -> Budget {
        switch link {
        case .metered: meteredBudget
        case .unmetered: unmeteredBudget
        }
    }
}

/// What bytes cost on a link.
package enum LinkKind: String, Sendable, Hashable, CaseIterable {
    case unmetered
    case metered
}
