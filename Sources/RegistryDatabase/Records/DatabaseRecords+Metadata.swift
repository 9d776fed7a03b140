import GRDB
import Primitives
import RegistryCore
import TUF

extension DatabaseRecords: RegistryCore.MetadataStoring {
    func live(_ role: RoleName) throws(RegistryError) -> StoredRole? {
        try row(
            "SELECT version, bytes FROM metadata WHERE role = ? ORDER BY version DESC LIMIT 1",
            [role.description]
        ) { (row) throws(RegistryError) in try Self.stored(role, row) }
    }

    func file(
        _ role: RoleName, _ version: MetadataVersion
    ) throws(RegistryError) -> StoredRole? {
        try row(
            "SELECT version, bytes FROM metadata WHERE role = ? AND version = ?",
            [role.description, version.number]
        ) { (row) throws(RegistryError) in try Self.stored(role, row) }
    }

    func add(_ file: StoredRole, at now: UTCTime) throws(RegistryError) {
        let held = try live(file.role)?.version
        guard held.map({ $0 < file.version }) ?? true else {
            throw .storage(
                "metadata of role '\(file.role)': expected a version after \(held?.number ?? 0), "
                    + "got \(file.version)")
        }
        try execute(
            "INSERT INTO metadata (role, version, added, bytes) VALUES (?, ?, ?, ?)",
            [file.role.description, file.version.number, now.seconds, file.bytes.data])
    }

    func proposal(_ role: RoleName) throws(RegistryError) -> StoredRole? {
        try row("SELECT version, bytes FROM proposal WHERE role = ?", [role.description]) {
            (row) throws(RegistryError) in try Self.stored(role, row)
        }
    }

    func setProposal(
        _ role: RoleName, _ proposal: StoredRole?
    ) throws(RegistryError) {
        guard let proposal else {
            return try execute("DELETE FROM proposal WHERE role = ?", [role.description])
        }
        try execute(
            "INSERT OR REPLACE INTO proposal (role, version, bytes) VALUES (?, ?, ?)",
            [role.description, proposal.version.number, proposal.bytes.data])
    }

    func firstDigest(of target: TargetPath) throws(RegistryError) -> SHA256Digest? {
        try row("SELECT sha256 FROM first_target WHERE path = ?", [target.description]) {
            (row) throws(RegistryError) in try row.digest("sha256")
        }
    }

    func setFirstDigest(
        of target: TargetPath, _ digest: SHA256Digest
    ) throws(RegistryError) {
        try execute(
            "INSERT OR IGNORE INTO first_target (path, sha256) VALUES (?, ?)",
            [target.description, digest.bytes.data])
    }

    private static func stored(
        _ role: RoleName, _ row: Row
    ) throws(RegistryError) -> StoredRole {
        let version = try row.parse("version") { (number: Int64) in MetadataVersion(number) }
        return StoredRole(role: role, version: version, bytes: try row.bytes("bytes"))
    }
}

extension Row {
    func digest(_ column: String) throws(RegistryError) -> SHA256Digest {
        guard let digest = SHA256Digest(try bytes(column)) else {
            throw .storage("database: column '\(column)' holds no digest")
        }
        return digest
    }
}
