import GRDB
import Primitives
import RegistryCore
import Rollouts

extension DatabaseRecords: PinStoring {
    func pins(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PinRecord] {
        try rows(
            "SELECT * FROM pin WHERE model = ? AND channel = ? ORDER BY device",
            [model.description, channel.description]
        ) { (row) throws(RegistryError) in
            PinRecord(
                device: try row.device("device"), model: model, channel: channel,
                bundle: try row.json("bundle") { (json) throws(FieldError) in
                    try BundleReference(reading: json, at: "bundle")
                },
                expires: try row.time("expires"),
                owner: try row.parse("owner") { (text: String) in text },
                reason: try row.parse("reason") { (text: String) in text },
                made: try row.time("made"))
        }
    }

    func setPin(_ record: PinRecord) throws(RegistryError) {
        try execute(
            """
            INSERT OR REPLACE INTO pin
            (device, model, channel, bundle, expires, owner, reason, made)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.device.bytes.data, record.model.description, record.channel.description,
                record.bundle.json.canonicalText, record.expires.seconds, record.owner,
                record.reason, record.made.seconds,
            ])
    }

    func dropPin(
        of device: DeviceID, _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> Bool {
        try count(
            changedBy: "DELETE FROM pin WHERE device = ? AND model = ? AND channel = ?",
            [device.bytes.data, model.description, channel.description]) > 0
    }
}
