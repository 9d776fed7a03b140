import GRDB

/// The tables, as a list of migrations of which each is frozen once it has been released.
///
/// Moments are UTC seconds; digests, keys and device ids are blobs; JSON is canonical text. Where a key may
/// be absent, it is the empty text or -1, because SQLite holds each NULL for another value.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: first) }
        migrator.registerMigration("2") { try $0.execute(sql: pins) }
        migrator.registerMigration("3") { try $0.execute(sql: placebos) }
        return migrator
    }

    static let placebos = """
        CREATE TABLE placebo (
            model TEXT NOT NULL, channel TEXT NOT NULL, region TEXT NOT NULL,
            device_class TEXT NOT NULL, at INTEGER NOT NULL, devices INTEGER NOT NULL,
            runs INTEGER NOT NULL, fired INTEGER NOT NULL,
            PRIMARY KEY (model, channel, region, device_class)) STRICT, WITHOUT ROWID;
        """

    static let pins = """
        CREATE TABLE pin (
            device BLOB NOT NULL REFERENCES device ON DELETE CASCADE, model TEXT NOT NULL,
            channel TEXT NOT NULL, bundle TEXT NOT NULL, expires INTEGER NOT NULL,
            owner TEXT NOT NULL, reason TEXT NOT NULL, made INTEGER NOT NULL,
            PRIMARY KEY (device, model, channel)) STRICT, WITHOUT ROWID;
        CREATE INDEX pin_channel ON pin (model, channel, device);
        """

    static let first = """
        CREATE TABLE metadata (
            role TEXT NOT NULL, version INTEGER NOT NULL, added INTEGER NOT NULL,
            bytes BLOB NOT NULL, PRIMARY KEY (role, version)) STRICT;
        CREATE TABLE proposal (
            role TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL
            ) STRICT, WITHOUT ROWID;
        CREATE TABLE first_target (
            path TEXT PRIMARY KEY, sha256 BLOB NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE device (
            id BLOB PRIMARY KEY, rank INTEGER NOT NULL, public_key BLOB NOT NULL,
            enrolled INTEGER NOT NULL, region TEXT NOT NULL, device_class TEXT NOT NULL,
            attributes TEXT NOT NULL, attributes_received INTEGER NOT NULL, agent TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
        CREATE TABLE hearing (
            device BLOB PRIMARY KEY REFERENCES device ON DELETE CASCADE,
            epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
        CREATE INDEX hearing_at ON hearing (at);
        CREATE TABLE gap (
            day INTEGER NOT NULL, region TEXT NOT NULL, device_class TEXT NOT NULL,
            bucket INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (day, region, device_class, bucket)) STRICT, WITHOUT ROWID;
        CREATE TABLE following (
            device BLOB NOT NULL REFERENCES device ON DELETE CASCADE, model TEXT NOT NULL,
            channel TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
            PRIMARY KEY (device, model)) STRICT, WITHOUT ROWID;
        CREATE INDEX following_channel ON following (model, channel, device);
        CREATE TABLE figures (
            device BLOB NOT NULL REFERENCES device ON DELETE CASCADE, model TEXT NOT NULL,
            version TEXT NOT NULL, window INTEGER NOT NULL, channel TEXT NOT NULL,
            arm TEXT NOT NULL, rank INTEGER NOT NULL, epoch INTEGER NOT NULL,
            sequence INTEGER NOT NULL, first_received INTEGER NOT NULL,
            received INTEGER NOT NULL, jumped INTEGER, redacted INTEGER NOT NULL DEFAULT 0,
            report BLOB NOT NULL, PRIMARY KEY (device, model, version, window)) STRICT;
        CREATE INDEX figures_window ON figures (model, channel, window, arm, rank);
        CREATE INDEX figures_received ON figures (received);
        CREATE TABLE facts (
            device BLOB NOT NULL REFERENCES device ON DELETE CASCADE, model TEXT NOT NULL,
            candidate TEXT NOT NULL, rank INTEGER NOT NULL, exposed INTEGER,
            exposed_window INTEGER, attempted INTEGER, updated INTEGER NOT NULL,
            facts TEXT NOT NULL, PRIMARY KEY (device, model, candidate)) STRICT;
        CREATE INDEX facts_candidate ON facts (model, candidate, rank);
        CREATE INDEX facts_updated ON facts (updated);

        CREATE TABLE rollout (
            model TEXT NOT NULL, channel TEXT NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY (model, channel)) STRICT;

        CREATE TABLE token (
            id TEXT PRIMARY KEY, prefix BLOB NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL,
            scopes TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER) STRICT;
        CREATE INDEX token_prefix ON token (prefix);
        CREATE TABLE enrolment (
            digest BLOB PRIMARY KEY, prefix BLOB NOT NULL, created INTEGER NOT NULL,
            expires INTEGER NOT NULL, device BLOB) STRICT;
        CREATE INDEX enrolment_prefix ON enrolment (prefix);

        CREATE TABLE audit (
            number INTEGER PRIMARY KEY, subject TEXT NOT NULL, hash BLOB NOT NULL,
            record BLOB NOT NULL) STRICT;
        CREATE INDEX audit_subject ON audit (subject, number);
        CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

        CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;
        INSERT INTO probe (id, count) VALUES (1, 0);
        """
}
