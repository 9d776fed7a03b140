package import Primitives
package import Telemetry

/// One device of one arm in the window of one stage: what the gate knows of it.
package struct DeviceSample: Sendable, Hashable {
    package var device: DeviceID
    package var cohort: Cohort
    package var arm: Arm
    package var locale: AttributeName?
    package var counters = TurnCounters()
    /// The device's 95th percentiles in this window, ln of milliseconds.
    package var lnP95: [TurnClock: Double] = [:]
    /// Peak memory of the model's process, ln of KiB.
    package var lnMemory: Double?
    /// Word error proxy, 0 and up; 0.04 is 4%.
    package var wordErrorRate: Double?
    package var reference: ReferenceSample?
    /// From here the clock of silence runs; nil where it has not begun, and then the device is not exposed.
    ///
    /// Treated: the swap beacon. Control: its first sign of life in this stage.
    package var exposedAt: UTCTime?
    /// Exposed in this stage, and not in an earlier one: silence is judged once, where exposure is new.
    package var isNew = true
    /// When the device was last heard after its exposure began; nil where it was not.
    ///
    /// Whoever fills it in goes by the order of the device's reports: several may arrive in one second.
    package var lastHeard: UTCTime?
    /// The last attempt of the candidate on this device.
    package var attempt: AttemptOutcome?
    /// When that attempt began: one that does not end within the deadline has failed.
    package var attemptAt: UTCTime?
    /// Local rollback or crash loop, in this stage or an earlier one: leaves tests A and B, stays bad in C.
    package var wentBack = false
    /// Whether the device had jumped when it first had enough turns; nil: not judged yet, judge now.
    package var jumped: Bool?

    package init(device: DeviceID, cohort: Cohort, arm: Arm) {
        self.device = device
        self.cohort = cohort
        self.arm = arm
    }
}

/// A device's own figures from before the swap, on the scale of its sample.
package struct ReferenceSample: Sendable, Hashable {
    package var turns: Int
    package var lnP95: [TurnClock: Double] = [:]
    package var lnMemory: Double?
    package var wordErrorRate: Double?

    package init(turns: Int) { self.turns = turns }
}

/// A part of the fleet that can be looked at, and left out, by itself.
package enum FleetSegment: Sendable, Hashable, Comparable, CustomStringConvertible {
    case cohort(Cohort)
    case region(AttributeName)
    case deviceClass(AttributeName)
    case locale(AttributeName)

    /// The segments of a fleet that differ from the fleet: none where there is one cohort and one locale.
    package static func all(
        cohorts: Set<Cohort>, locales: Set<AttributeName>
    ) -> [FleetSegment] {
        let kinds: [Set<FleetSegment>] = [
            Set(cohorts.map { .cohort($0) }), Set(cohorts.map { .region($0.region) }),
            Set(cohorts.map { .deviceClass($0.deviceClass) }), Set(locales.map { .locale($0) }),
        ]
        return kinds.flatMap { $0.count > 1 ? $0.sorted() : [] }
    }

    package func contains(_ sample: DeviceSample) -> Bool {
        switch self {
        case .cohort(let cohort): sample.cohort == cohort
        case .region(let region): sample.cohort.region == region
        case .deviceClass(let deviceClass): sample.cohort.deviceClass == deviceClass
        case .locale(let locale): sample.locale == locale
        }
    }

    package var kind: SegmentKind {
        switch self {
        case .cohort: .cohort
        case .region: .region
        case .deviceClass: .deviceClass
        case .locale: .locale
        }
    }

    package var description: String {
        switch self {
        case .cohort(let cohort): "cohort \(cohort)"
        case .region(let region): "region \(region)"
        case .deviceClass(let deviceClass): "device class \(deviceClass)"
        case .locale(let locale): "locale \(locale)"
        }
    }
}

/// The kinds of segment, by the names that policies use.
package enum SegmentKind: String, Sendable, Hashable, CaseIterable {
    case cohort
    case deviceClass = "device_class"
    case locale
    case region
}
