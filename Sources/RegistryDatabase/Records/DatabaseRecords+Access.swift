import GRDB
import Primitives
import RegistryCore

extension DatabaseRecords: AccessStoring {
    func tokens() throws(RegistryError) -> [TokenRecord] {
        try rows("SELECT * FROM token ORDER BY created, id") {
            (row) throws(RegistryError) in try Self.token(row)
        }
    }

    func tokens(digestPrefix: [UInt8]) throws(RegistryError) -> [TokenRecord] {
        try rows("SELECT * FROM token WHERE prefix = ?", [digestPrefix.data]) {
            (row) throws(RegistryError) in try Self.token(row)
        }
    }

    func setToken(_ id: TokenID, _ record: TokenRecord?) throws(RegistryError) {
        guard let record else {
            return try execute("DELETE FROM token WHERE id = ?", [id.description])
        }
        try execute(
            """
            INSERT OR REPLACE INTO token (id, prefix, name, digest, scopes, created, expires)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.description, Self.prefix(record.digest), record.name,
                record.digest.bytes.data, record.scopes.map(\.description).joined(separator: " "),
                record.created.seconds, record.expires?.seconds,
            ])
    }

    func enrolments(digestPrefix: [UInt8]) throws(RegistryError) -> [EnrolmentRecord] {
        try rows("SELECT * FROM enrolment WHERE prefix = ?", [digestPrefix.data]) {
            (row) throws(RegistryError) in
            let device: DatabaseValue = row["device"]
            return EnrolmentRecord(
                digest: try row.digest("digest"), created: try row.time("created"),
                expires: try row.time("expires"),
                use: device.isNull
                    ? .unused
                    : .used(by: DeviceID(bytes: try row.bytes("device"))))
        }
    }

    func setEnrolment(_ record: EnrolmentRecord) throws(RegistryError) {
        let device: [UInt8]? =
            switch record.use {
            case .unused: nil
            case .used(let device): device?.bytes ?? []
            }
        try execute(
            """
            INSERT OR REPLACE INTO enrolment (digest, prefix, created, expires, device)
            VALUES (?, ?, ?, ?, ?)
            """,
            [
                record.digest.bytes.data, Self.prefix(record.digest), record.created.seconds,
                record.expires.seconds, device?.data,
            ])
    }

    private static func prefix(_ digest: SHA256Digest) -> DatabaseValue {
        Array(digest.bytes.prefix(8)).data.databaseValue
    }

    private static func token(_ row: Row) throws(RegistryError) -> TokenRecord {
        let scopes = try row.parse("scopes") { (text: String) -> [Scope]? in
            let scopes = text.split(separator: " ").map { Scope(String($0)) }
            return scopes.contains(nil) ? nil : scopes.compactMap(\.self)
        }
        return TokenRecord(
            id: try row.parse("id") { (text: String) in TokenID(text) }, name: row["name"],
            digest: try row.digest("digest"), scopes: scopes, created: try row.time("created"),
            expires: try row.optionalTime("expires"))
    }
}
