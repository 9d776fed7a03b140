/// How the treated devices of a stage come to the candidate.
package struct Arrival: Sendable, Hashable {
    /// Those of them that are new in the stage, 0 to 1: they alone wait for the ramp.
    package var newShare = 1.0
    /// Hours at least that the others have had the candidate: what they have not left out of their first turns by then,
    /// they leave out still.
    package var formerHours = Double.infinity
    /// Hours over which the new ones start, one after the other.
    package var rampHours = 0.0

    package init() {}
}

/// One arm of a stage that is foreseen: its devices in parts of which each is used alike and began alike.
struct PowerArm {
    struct Part {
        /// Of all devices of the arm.
        let share: Double
        /// Turns of a device in an hour.
        let usage: Double
        /// Hours whose turns count; 0 and less where none do yet.
        let hours: Double

        var turns: Double { usage * max(0, hours) }
    }

    let devices: Double
    let parts: [Part]

    /// Those whose turns count, and that have so many and more.
    func having(turns least: Double) -> PowerArm {
        let usable = parts.filter { $0.turns >= least && $0.hours > 0 }
        return PowerArm(devices: devices, parts: usable)
    }

    var share: Double { parts.reduce(0) { $0 + $1.share } }
    var count: Double { share * devices }

    /// Whether there are so many devices and more; a sum of shares may fall short of 1 in its last digit.
    func has(_ least: Int) -> Bool { count + 1e-9 >= Double(least) }

    /// The mean over devices; without meaning where there are none.
    func mean(_ value: (Part) -> Double) -> Double {
        parts.reduce(0) { $0 + $1.share * value($1) } / share
    }
}
