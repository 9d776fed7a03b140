import GRDB
import Primitives
import RegistryCore
import Telemetry

extension DatabaseRecords: ReportStoring {
    func figures(_ key: FiguresKey) throws(RegistryError) -> FiguresRow? {
        try row(
            """
            SELECT * FROM figures
            WHERE device = ? AND model = ? AND version = ? AND window = ?
            """, Self.arguments(key)
        ) { (row) throws(RegistryError) in try FiguresRow(row) }
    }

    func mark(_ key: FiguresKey) throws(RegistryError) -> FiguresMark? {
        try row(
            """
            SELECT epoch, sequence, first_received, jumped FROM figures
            WHERE device = ? AND model = ? AND version = ? AND window = ?
            """, Self.arguments(key)
        ) { (row) throws(RegistryError) in
            FiguresMark(
                order: ReportOrder(epoch: row["epoch"], sequence: row["sequence"]),
                firstReceived: try row.time("first_received"), jumped: row["jumped"])
        }
    }

    /// Mostly newer figures take the place of older ones of the same arm: then the row is changed where it is, and its
    /// places in the indexes stay.
    func setFigures(_ row: FiguresRow) throws(RegistryError) {
        let report = row.report
        let order: StatementArguments = [report.epoch, report.sequence]
        let keys = Self.arguments(FiguresKey(of: report))
        let place: StatementArguments = [
            report.channel.description, report.place?.arm.rawValue ?? "",
        ]
        let rest: StatementArguments = [
            row.firstReceived.seconds, row.received.seconds, row.jumped, row.bytes.data,
        ]
        let changed = try count(changedBy: ReportQueries.change, order + rest + keys + place)
        if changed == 0 {
            try execute(
                """
                INSERT OR REPLACE INTO figures (device, model, version, window, channel, arm,
                    rank, epoch, sequence, first_received, received, jumped, report)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, keys + place + [Self.rank(of: report.device)] + order + rest)
            try dropOldest(
                "figures", by: "received", of: report.device, limit: ReportLimits.figures)
        }
        try setFollowing(report, order)
    }

    /// Notes which channel the device follows, by its newest report.
    private func setFollowing(
        _ report: Report, _ order: StatementArguments
    ) throws(RegistryError) {
        let following: StatementArguments = [
            report.device.bytes.data, report.model.description, report.channel.description,
        ]
        guard try count(changedBy: ReportQueries.follow, order + following + order) == 0 else {
            return
        }
        try execute(
            """
            INSERT INTO following (device, model, channel, epoch, sequence) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (device, model) DO UPDATE SET channel = excluded.channel,
                epoch = excluded.epoch, sequence = excluded.sequence
            WHERE (excluded.epoch, excluded.sequence) > (epoch, sequence)
            """, following + order)
    }

    func facts(_ key: CandidateKey) throws(RegistryError) -> FactsRow? {
        try row(
            "SELECT * FROM facts WHERE device = ? AND model = ? AND candidate = ?",
            Self.arguments(key)
        ) { (row) throws(RegistryError) in try FactsRow(row) }
    }

    func setFacts(_ row: FactsRow) throws(RegistryError) {
        let values: StatementArguments = [
            Self.rank(of: row.key.device), row.exposed?.seconds, row.exposedWindow?.seconds,
            row.attempted?.seconds, row.updated.seconds, row.facts.json.canonicalText,
        ]
        try execute(
            """
            INSERT OR REPLACE INTO facts (device, model, candidate, rank, exposed,
                exposed_window, attempted, updated, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, Self.arguments(row.key) + values)
        try dropOldest("facts", by: "updated", of: row.key.device, limit: ReportLimits.facts)
    }

    /// Keeps a device within its limit.
    private func dropOldest(
        _ table: String, by column: String, of device: DeviceID, limit: Int
    ) throws(RegistryError) {
        try execute(
            """
            DELETE FROM \(table) WHERE rowid IN (SELECT rowid FROM \(table) WHERE device = ?
                ORDER BY \(column) DESC, rowid DESC LIMIT -1 OFFSET ?)
            """, [device.bytes.data, limit])
    }

    private static func rank(of device: DeviceID) -> Int64 { DeviceRecord.rank(of: device) }

    private static func arguments(_ key: FiguresKey) -> StatementArguments {
        [
            key.device.bytes.data, key.model.description, key.version?.description ?? "",
            key.window?.seconds ?? -1,
        ]
    }

    private static func arguments(_ key: CandidateKey) -> StatementArguments {
        [key.device.bytes.data, key.model.description, key.candidate.description]
    }
}

/// What is changed with each report, where it stands; the tests ask SQLite how it would do that.
package enum ReportQueries {
    /// Newer figures of the same arm: what is new, then key, channel and arm.
    package static let change = """
        UPDATE figures SET epoch = ?, sequence = ?, first_received = ?, received = ?, jumped = ?,
            report = ?, redacted = 0
        WHERE device = ? AND model = ? AND version = ? AND window = ? AND channel = ?
            AND arm = ?
        """

    /// The order of the newest report, where it names the same channel as before: order, device, model, channel, order.
    package static let follow = """
        UPDATE following SET epoch = ?, sequence = ?
        WHERE device = ? AND model = ? AND channel = ? AND (?, ?) > (epoch, sequence)
        """
}

extension FiguresRow {
    init(_ row: Row) throws(RegistryError) {
        try self.init(
            bytes: row.bytes("report"), firstReceived: row.time("first_received"),
            received: row.time("received"), jumped: row["jumped"])
    }
}

extension FactsRow {
    init(_ row: Row) throws(RegistryError) {
        let key = CandidateKey(
            device: try row.device("device"),
            model: try row.parse("model") { (text: String) in ModelName(text) },
            candidate: try row.parse("candidate") { (text: String) in SemanticVersion(text) })
        self.init(
            key: key, facts: try row.json("facts", CandidateFacts.init),
            exposed: try row.optionalTime("exposed"),
            exposedWindow: try row.optionalTime("exposed_window"),
            attempted: try row.optionalTime("attempted"), updated: try row.time("updated"))
    }
}
