package import Primitives
import Telemetry

extension Devices.Detail {
    /// `GET /v1/devices/{id}`: what it is, how old that knowledge is, and what it runs, by model.
    package func json(at now: UTCTime) -> JSON {
        var fields: JSONObject = [
            "type": "device", "device": .string(record.id.description),
            "enrolled": .integer(record.enrolled.seconds),
            "agent": .string(record.agent.description), "attributes": record.attributes.json,
            "attributes_age_s": .integer(now - record.attributesReceived),
            "models": .array(newest.map { Self.json($0, at: now) }),
            "candidates": .array(facts.map(Self.json)),
        ]
        fields["heard"] = heard.map { .integer($0.seconds) }
        fields["heard_age_s"] = heard.map { .integer(now - $0) }
        return .object(fields)
    }

    /// The newest figures of each model, in order of the names.
    package var newest: [FiguresRow] {
        let byModel = Dictionary(grouping: figures, by: \.report.model)
        return byModel.sorted { $0.key < $1.key }.compactMap { _, rows in
            rows.max { $0.report.order < $1.report.order }
        }
    }

    private static func json(_ row: FiguresRow, at now: UTCTime) -> JSON {
        let report = row.report
        var fields: JSONObject = [
            "model": .string(report.model.description),
            "channel": .string(report.channel.description),
            "state": .string(report.state.rawValue),
            "reasons": .array(report.reasons.map { .string($0.rawValue) }),
            "received": .integer(row.received.seconds), "age_s": .integer(now - row.received),
            "turns": .integer(report.tally.counters.turns),
            "errors": .integer(report.tally.counters.errors), "figures": figures(report),
        ]
        fields["version"] = report.version.map { .string($0.description) }
        fields["candidate"] = report.candidate.map { .string($0.description) }
        fields["arm"] = report.place.map { .string($0.arm.rawValue) }
        fields["stage"] = report.place.map { .integer($0.stage) }
        return .object(fields)
    }

    /// Counters and histograms as the device reported them (`docs/formats/report.md`), and since when they count.
    private static func figures(_ report: Report) -> JSON {
        var fields = report.tally.fields
        fields["counting_since"] = report.countingSince.map { .integer($0.seconds) }
        return .object(fields)
    }

    private static func json(_ row: FactsRow) -> JSON {
        var fields: JSONObject = [
            "model": .string(row.key.model.description),
            "candidate": .string(row.key.candidate.description),
            "attempts": .integer(Int64(row.facts.attemptsStarted)),
            "attempts_failed": .integer(Int64(row.facts.attemptsFailed)),
            "committed": .bool(row.facts.committed), "went_back": .bool(row.facts.rolledBack),
        ]
        fields["exposed"] = row.exposed.map { .integer($0.seconds) }
        return .object(fields)
    }
}
