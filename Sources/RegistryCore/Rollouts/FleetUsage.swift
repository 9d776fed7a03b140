import Primitives
import Rollouts
import Telemetry

/// How much the devices of a channel are used, for what stages can show.
package struct FleetUsage: Sendable, Hashable {
    package enum Source: String, Sendable, Hashable {
        /// Whoever asked said so.
        case given
        /// The devices' own figures.
        case reports
        /// Nobody has said, and too few devices have reported for long enough.
        case assumed
    }

    /// The turns of a device in a day that are assumed where nobody knows.
    package static let assumedTurnsPerDay: Int64 = 40
    package static let range: ClosedRange<Int64> = 1...Policy.mostTurnsPerDay
    /// Devices that are looked at, and that must have something to say.
    private static let sampleLimit = 500
    private static let leastDevices = 20
    /// Seconds that a device must have counted for.
    private static let leastSeconds: Int64 = 6 * 3_600

    /// The mean over devices, each at most ten times the median.
    package let turnsPerDay: Int64
    package let source: Source

    /// What was given, otherwise what the first of the fleet report of a model (ids are digests of keys, so they are a
    /// sample by chance), otherwise what is assumed.
    init(
        given: Int64?, fleet: [Subscriber], model: ModelName, in records: any RegistryRecords
    ) throws(RegistryError) {
        if let given {
            (turnsPerDay, source) = (given, .given)
            return
        }
        var rates: [Double] = []
        for subscriber in fleet.prefix(Self.sampleLimit) {
            let newest = try records.figures(of: subscriber.device).lazy.map(\.report)
                .first { $0.model == model && $0.countingSince != nil }
            guard let newest, let since = newest.countingSince else { continue }
            let seconds = newest.madeAt - since
            guard seconds >= Self.leastSeconds else { continue }
            rates.append(Double(newest.tally.counters.turns) * 86_400 / Double(seconds))
        }
        guard rates.count >= Self.leastDevices else {
            (turnsPerDay, source) = (Self.assumedTurnsPerDay, .assumed)
            return
        }
        // One device that claims a million turns must not speak for the others.
        let most = 10 * rates.sorted()[rates.count / 2]
        let mean = rates.reduce(0) { $0 + min($1, most) } / Double(rates.count)
        let limit = Double(Self.range.upperBound)
        turnsPerDay = max(Self.range.lowerBound, Int64(min(mean.rounded(), limit)))
        source = .reports
    }
}
