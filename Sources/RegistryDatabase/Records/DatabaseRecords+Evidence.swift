import GRDB
import Primitives
import RegistryCore
import Telemetry

extension DatabaseRecords: EvidenceStoring {
    func figures(of device: DeviceID) throws(RegistryError) -> [FiguresRow] {
        try rows(
            "SELECT * FROM figures WHERE device = ? ORDER BY epoch DESC, sequence DESC",
            [device.bytes.data]
        ) { (row) throws(RegistryError) in try FiguresRow(row) }
    }

    func facts(of device: DeviceID) throws(RegistryError) -> [FactsRow] {
        try rows(
            "SELECT * FROM facts WHERE device = ? ORDER BY model, candidate", [device.bytes.data]
        ) { (row) throws(RegistryError) in try FactsRow(row) }
    }

    func samples(_ query: SampleQuery) throws(RegistryError) -> [SampleRow] {
        let treated = try treated(query)
        let known = Set(treated.map(\.device))
        return treated + (try control(query)).filter { !known.contains($0.device) }
    }

    private static func hearing(_ row: Row) throws(RegistryError) -> Hearing? {
        guard let at = try row.optionalTime("heard") else { return nil }
        let order = ReportOrder(epoch: row["heard_epoch"], sequence: row["heard_sequence"])
        return Hearing(order: order, at: at)
    }

    /// Devices with facts about the candidate, and their figures of it in the window.
    private func treated(_ query: SampleQuery) throws(RegistryError) -> [SampleRow] {
        let rows = try rows(
            EvidenceQueries.treated,
            [
                query.model.description, query.candidate.description, query.channel.description,
                query.limit,
            ]
        ) { (row) throws(RegistryError) -> (FactsRow, DeviceAttributes, Hearing?) in
            (
                try FactsRow(row), try attributes.read(row),
                try Self.hearing(row)
            )
        }
        var samples: [SampleRow] = []
        for (facts, attributes, heard) in rows {
            let key = FiguresKey(
                device: facts.key.device, model: query.model, version: query.candidate,
                window: query.window)
            samples.append(
                SampleRow(
                    device: facts.key.device, attributes: attributes, heard: heard,
                    figures: try figures(key), facts: facts))
        }
        return samples
    }

    /// Devices that say of themselves that they are control in this window; the newest figures of each.
    private func control(_ query: SampleQuery) throws(RegistryError) -> [SampleRow] {
        try rows(
            EvidenceQueries.control,
            [
                query.model.description, query.channel.description, query.window.seconds,
                query.limit,
            ]
        ) { (row) throws(RegistryError) in
            SampleRow(
                device: try row.device("device"), attributes: try attributes.read(row),
                heard: try Self.hearing(row), figures: try FiguresRow(row), facts: nil)
        }
    }

    func exposure(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion
    ) throws(RegistryError) -> [Cohort: Int] {
        try cohortCounts(
            EvidenceQueries.exposure,
            [model.description, candidate.description, channel.description])
    }

    func subscribers(
        model: ModelName, channel: ChannelName
    ) throws(RegistryError) -> [Subscriber] {
        func subscriber(_ row: Row) throws(RegistryError) -> Subscriber {
            Subscriber(device: try row.device("id"), attributes: try attributes.read(row))
        }
        let followers = try rows(
            EvidenceQueries.followers, [model.description, channel.description], subscriber)
        guard channel == .main else { return followers }
        return followers + (try rows(EvidenceQueries.unheard, [], subscriber))
    }
}
