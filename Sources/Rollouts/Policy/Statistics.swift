package import Primitives

/// The gate's parameters, with the names and defaults of `docs/formats/policy.md`; ratios in thousandths.
package struct Statistics: Sendable, Hashable {
    /// The chance of a false rollback of the whole release, in thousandths.
    package var alpha = 10
    package var alphaPause = 100
    /// The part of alpha for the fleet's tests; cohorts and segments share the rest.
    package var fleetPart = 500
    /// ROLLBACK also needs this part of the limit, on the logarithmic scale; PAUSE needs `pauseFraction`.
    package var sizeFraction = 667
    package var pauseFraction = 333
    /// Pseudo-devices of pooled variance that each arm borrows.
    package var n0 = 30
    package var rho0 = 20
    package var minTurnsP95 = 20
    package var minReferenceTurns = 20
    package var minDevicesTreated = 3
    package var minDevicesControl = 5
    package var minWeight = 20
    /// Reporting devices among the exposed, against the same in control.
    package var coverage = 900
    package var minMissing = 2
    /// A device counts as jumped when its own p95 grew by this ratio, judged once after `jumpTurns`.
    package var jump = 1_500
    package var jumpTurns = 40
    /// The share of failed attempts that test C excuses: control devices run none.
    package var attemptsQ0 = 20
    /// The same for silent devices and local rollbacks of a first release, which has no control.
    package var uncontrolledQ0 = 20

    package init() {}

    /// The fields by their names in JSON, with the range of each.
    static let all: [(name: String, path: any WritableKeyPath<Statistics, Int> & Sendable, Range)] =
        [
            ("alpha", \.alpha, 1...200), ("alpha_pause", \.alphaPause, 1...500),
            ("attempts_q0", \.attemptsQ0, 1...600), ("coverage", \.coverage, 500...1_000),
            ("fleet_part", \.fleetPart, 1...999), ("jump", \.jump, 1_001...100_000),
            ("jump_turns", \.jumpTurns, 1...100_000),
            ("min_devices_control", \.minDevicesControl, 2...100_000),
            ("min_devices_treated", \.minDevicesTreated, 2...100_000),
            ("min_missing", \.minMissing, 1...1_000),
            ("min_reference_turns", \.minReferenceTurns, 1...100_000),
            ("uncontrolled_q0", \.uncontrolledQ0, 1...600),
            ("min_turns_p95", \.minTurnsP95, 1...100_000),
            ("min_weight", \.minWeight, 1...100_000), ("n0", \.n0, 0...100_000),
            ("pause_fraction", \.pauseFraction, 0...1_000), ("rho0", \.rho0, 0...1_000),
            ("size_fraction", \.sizeFraction, 0...1_000),
        ]

    typealias Range = ClosedRange<Int64>

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        for (name, path, range) in Self.all {
            self[keyPath: path] = try fields.count(name, in: range)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        .object(
            JSONObject(Self.all.map { ($0.name, .integer(self[keyPath: $0.path])) }))
    }
}
