import Glibc
package import Primitives
import Telemetry

/// What one device of a real fleet is like, by its newest figures, as `fieldfare devices list --json` prints them.
package struct RecordedDevice: Sendable, Hashable {
    /// The most bytes of one line.
    package static let lineLimit = 64 << 10
    /// Turns of the model's chances that a device's own are mixed with: few turns tell little.
    private static let priorTurns = 20.0

    package let attributes: DeviceAttributes
    /// Turns in a tick of `FleetModel`.
    let turnsPerTick: Double
    /// ln of its median latency in milliseconds, and the standard deviation (ln) of its turns; nil without durations.
    let level: Double?
    let spread: Double?
    private let counters: TurnCounters

    /// Nil for a device without turns of the model, or of which is not known how long they took to come.
    ///
    /// - Throws: `FieldError` for what is no line of a device.
    package init?(reading json: JSON, model: ModelName) throws(FieldError) {
        var line = try Fields(json)
        var inner = try line.fields("attributes")
        attributes = try DeviceAttributes(reading: &inner)
        var found: (tally: TurnTally, seconds: Int64)?
        for (json, path) in try line.array("models", limit: 64) {
            var fields = try Fields(json, at: path)
            let name = try fields.parse("model", ModelName.expected, ModelName.init)
            guard name == model, var figures = try fields.optionalFields("figures") else {
                continue
            }
            let moments = 0...UTCTime.latest.seconds
            let until = try fields.integer("received", in: moments)
            let since = try figures.optionalInteger("counting_since", in: moments)
            let tally = try TurnTally(reading: &figures, strict: false)
            guard let since, until > since, tally.counters.turns > 0 else { continue }
            found = (tally, until - since)
        }
        guard let (tally, seconds) = found else { return nil }
        counters = tally.counters
        turnsPerTick =
            Double(tally.counters.turns) * Double(FleetModel.tickSeconds) / Double(seconds)
        let median = tally.latency.logQuantile(0.5)
        level = median
        // The 95th percentile of a log-normal is 1.645 standard deviations above its median.
        spread = median.flatMap { median in
            tally.latency.logQuantile(0.95).map { max(0.05, ($0 - median) / 1.645) }
        }
    }

    /// Its chances of an event in a turn.
    func chances(of model: FleetModel) -> EventChances {
        func mixed(_ events: Int64, _ usual: Double) -> Double {
            (Double(events) + usual * Self.priorTurns)
                / (Double(counters.turns) + Self.priorTurns)
        }
        return EventChances(
            errors: mixed(counters.errors, model.errors),
            falsePositives: mixed(counters.falsePositives, model.falsePositives),
            escalations: mixed(counters.escalations, model.escalations),
            abandonment: mixed(counters.abandoned, model.abandonment))
    }
}
