import GRDB
import Primitives
import RegistryCore

extension DatabaseRecords: PlaceboStoring {
    func placebos(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PlaceboRecord] {
        try rows(
            """
            SELECT * FROM placebo WHERE model = ? AND channel = ? ORDER BY region, device_class
            """, [model.description, channel.description]
        ) { (row) throws(RegistryError) in
            PlaceboRecord(
                model: model, channel: channel,
                cohort: Cohort(
                    region: try row.parse("region") { AttributeName($0) },
                    deviceClass: try row.parse("device_class") { AttributeName($0) }),
                at: try row.time("at"), devices: row["devices"], runs: row["runs"],
                fired: row["fired"])
        }
    }

    func setPlacebo(_ record: PlaceboRecord) throws(RegistryError) {
        try execute(
            """
            INSERT OR REPLACE INTO placebo
            (model, channel, region, device_class, at, devices, runs, fired)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.model.description, record.channel.description,
                record.cohort.region.description, record.cohort.deviceClass.description,
                record.at.seconds, record.devices, record.runs, record.fired,
            ])
    }
}
