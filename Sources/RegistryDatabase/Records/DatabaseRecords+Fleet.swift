import Cryptography
import GRDB
import Primitives
import RegistryCore

extension DatabaseRecords: FleetStoring {
    func device(_ id: DeviceID) throws(RegistryError) -> DeviceRecord? {
        try row("SELECT * FROM device WHERE id = ?", [id.bytes.data]) {
            (row) throws(RegistryError) in try record(row)
        }
    }

    func setDevice(_ record: DeviceRecord) throws(RegistryError) {
        try execute(
            """
            INSERT INTO device (id, rank, public_key, enrolled, region, device_class, attributes,
                attributes_received, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET region = excluded.region,
                device_class = excluded.device_class, attributes = excluded.attributes,
                attributes_received = excluded.attributes_received, agent = excluded.agent
            """,
            [
                record.id.bytes.data, record.rank, record.publicKey.bytes.data,
                record.enrolled.seconds, record.attributes.region.description,
                record.attributes.deviceClass.description, record.attributes.json.canonicalText,
                record.attributesReceived.seconds, record.agent.description,
            ])
    }

    func devices(
        after id: DeviceID?, limit: Int
    ) throws(RegistryError) -> [DeviceRecord] {
        try rows(
            "SELECT * FROM device WHERE id > ? ORDER BY id LIMIT ?",
            [(id?.bytes ?? []).data, limit]
        ) { (row) throws(RegistryError) in try record(row) }
    }

    /// The rows of other tables go with it, by their foreign keys.
    func forget(_ id: DeviceID) throws(RegistryError) -> Bool {
        try execute("UPDATE enrolment SET device = x'' WHERE device = ?", [id.bytes.data])
        return try count(changedBy: "DELETE FROM device WHERE id = ?", [id.bytes.data]) > 0
    }

    private func record(_ row: Row) throws(RegistryError) -> DeviceRecord {
        let bytes = try row.bytes("public_key")
        guard let key = Ed25519PublicKey(bytes) else {
            throw .storage("database: column 'public_key' holds no key")
        }
        return DeviceRecord(
            publicKey: key, enrolled: try row.time("enrolled"),
            attributes: try attributes.read(row),
            attributesReceived: try row.time("attributes_received"),
            agent: try row.parse("agent") { (text: String) in SemanticVersion(text) })
    }
}

extension Row {
    func device(_ column: String) throws(RegistryError) -> DeviceID {
        guard let id = DeviceID(bytes: try bytes(column)) else {
            throw .storage("database: column '\(column)' holds no device id")
        }
        return id
    }

    func cohort() throws(RegistryError) -> Cohort {
        Cohort(
            region: try parse("region") { (text: String) in AttributeName(text) },
            deviceClass: try parse("device_class") { (text: String) in AttributeName(text) })
    }
}
