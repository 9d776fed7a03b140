package import Primitives

/// How one release may spread: signed offline, with the release keys of its model.
///
/// A target of `model.<m>` at `policies/<m>/<version>.<name>.json`; the format is
/// `docs/formats/policy.md`. Devices hold every plan against it.
package struct Policy: Sendable, Hashable {
    package static let schema = "fieldfare.policy/1"
    /// The longest policy read, in bytes; a real one has under 4,000.
    package static let longest = 65_536
    package static let mostStages = 16
    /// Turns of a device in a day beyond which nobody is believed.
    package static let mostTurnsPerDay: Int64 = 100_000

    /// What happens in a stage that ends without the evidence it needs.
    package enum InsufficientEvidence: String, Sendable, CaseIterable {
        case pause
        case promoteUnproven = "promote_unproven"
    }

    package var model: ModelName
    package var candidate: BundleReference
    /// The versions it may replace; none for a first release.
    package var replaces: [VersionRange]
    package var notBefore: UTCTime
    /// After this moment the rollout exposes nobody new; a completed one goes on.
    package var notAfter: UTCTime
    package var stages: [Stage]
    package var holdBack: Quota
    package var gates: [Gate]
    package var statistics: Statistics
    /// What is left out at the start of a stage (seconds) and after a swap (turns).
    package var burnInSeconds: Int64
    package var burnInTurns: Int
    /// Seconds after a swap beacon within which a device must be heard.
    package var checkInDeadline: Int64
    package var reportInterval: Int64
    package var gateInterval: Int64
    package var probation: Probation
    package var onInsufficientEvidence: InsufficientEvidence
    /// The kinds of segment that the controller may exclude by itself.
    package var excludable: [Segment.Kind]
    package var download: DownloadRules
    /// Seconds between two plan-driven swaps forward of one device, at least.
    package var minDwell: Int64
    /// Seconds since the timestamp was signed, at most, for a swap forward.
    package var freshness: Int64
    /// Devices that may be pinned to the candidate before its least soak times are over.
    package var maxPins: Int
    /// Whether a brake rehearsal must have succeeded before the first stage.
    package var rehearsal: Bool

    /// Whether this is a first release: nothing to replace, no control.
    package var isInitial: Bool { replaces.isEmpty }

    package func mayReplace(_ version: SemanticVersion) -> Bool {
        replaces.contains { $0.contains(version) }
    }

    /// The earliest moment of stage `index`: the policy's own `not_before` and the least soak times of
    /// the stages before it.
    ///
    /// `stages.count` gives the earliest completion.
    package func earliest(ofStage index: Int) -> UTCTime {
        notBefore + stages.prefix(max(0, index)).reduce(0) { $0 + $1.leastSoak }
    }

    /// The earliest moment at which the candidate is a finished release: a baseline, or anyone's pin.
    package var matures: UTCTime { earliest(ofStage: stages.count) }

    /// Whether any stage reaches the device.
    package func contains(_ device: DeviceAttributes) -> Bool {
        stages.contains { $0.where.contains(device) }
    }
}
