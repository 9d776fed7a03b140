package import Primitives

/// What a device is to run, and why: the answer of `decide`.
package struct Decision: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        /// Keep what runs, or keep nothing.
        case stay
        /// The first install of a model on this device.
        case first(BundleReference)
        case forward(BundleReference)
        /// Never held up by pauses, freezes, dwell times or expired metadata.
        case back(BundleReference)
        /// What runs is withdrawn, and there is nothing that this device may go back to.
        case stranded(BundleReference)
    }

    /// As what the plan names a version.
    package enum Role: String, Sendable {
        case baseline
        case candidate
        case pin
        /// Not named: what the idle slot holds, for a device that must leave what it runs.
        case previous
    }

    /// One rule that was looked at.
    package struct Step: Sendable, Hashable {
        /// A fact that went into a rule, as text.
        package struct Input: Sendable, Hashable {
            package let name: String
            package let value: String
        }

        /// The refusal that the rule would give; a rule is known by it.
        package let rule: RefusalReason
        package let role: Role?
        package let version: SemanticVersion?
        package let inputs: [Input]
        package let isRefused: Bool
        /// Where time alone ends the refusal: when.
        package let until: UTCTime?
    }

    package var action: Action
    /// As what the version of `action` is named; nil for `stay` and `stranded`.
    package var role: Role?
    /// The device's group in this rollout; nil outside of both.
    package var arm: Arm?
    package var bucket: Bucket?
    /// The index of the stage that exposes this device.
    package var stage: Int?
    package var isPinned: Bool
    /// What the version's policy allows the download to cost.
    package var download: DownloadRules?
    /// Whether the swap must wait until the registry has acknowledged its swap beacon.
    package var waitsForBeacon: Bool
    /// The refusals in the order of the rules, each once.
    package var refusals: [RefusalReason]
    /// When the first choice would be taken, where only time stands between.
    package var waitsUntil: UTCTime?
    package var trace: [Step]

    /// The bundle to change to; nil where nothing changes.
    package var target: BundleReference? {
        switch action {
        case .first(let bundle), .forward(let bundle), .back(let bundle): bundle
        case .stay, .stranded: nil
        }
    }
}
