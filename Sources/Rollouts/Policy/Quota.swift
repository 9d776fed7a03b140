package import Primitives

/// How many devices of a cohort: a share, at least so many devices, but never more than a cap.
///
/// Of a cohort of N devices it asks for `max(ceil(share N), min(leastDevices, ceil(cap N)))`
/// (`docs/formats/policy.md`).
package struct Quota: Sendable, Hashable {
    package static let none = Quota(share: .none, leastDevices: 0, cap: .none)

    package var share: BasisPoints
    package var leastDevices: Int
    package var cap: BasisPoints

    package init(share: BasisPoints, leastDevices: Int, cap: BasisPoints) {
        self.share = share
        self.leastDevices = leastDevices
        self.cap = cap
    }

    /// Reads the three fields of an object that may have others.
    init(reading fields: inout Fields) throws(FieldError) {
        share = try fields.share("share")
        leastDevices = try fields.count("least_devices")
        cap = try fields.share("cap")
    }

    var fields: JSONObject {
        [
            "share": .integer(share.value), "least_devices": .integer(leastDevices),
            "cap": .integer(cap.value),
        ]
    }

    package var json: JSON { .object(fields) }

    /// The devices asked for in a cohort of `count`.
    package func devices(of count: Int) -> Int {
        max(Self.part(share, of: count), min(leastDevices, Self.part(cap, of: count)))
    }

    /// `share` of `count`, rounded up.
    private static func part(_ share: BasisPoints, of count: Int) -> Int {
        (count * share.value + 9_999) / 10_000
    }
}
