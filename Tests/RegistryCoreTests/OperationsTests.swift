import Cryptography
import Primitives
import RegistryCore
import RegistryTestSupport
import TUF
import Telemetry
import TestSupport
import Testing

/// The static tree, readiness, retention, keys from files, and what errors say.
struct OperationsTests {
    private let now = UTCTime(clamping: 1_764_000_000)

    // MARK: Static files

    @Test func `the timestamp in memory is always the newest that is live`() throws {
        let live = try LiveTimestamp(MemoryStore())
        let registry = TestRegistry(store: live)
        let files = PublishedFiles(store: live, blobs: registry.blobs)
        #expect(files.timestamp == nil)
        try registry.found(at: now)
        for step in 0..<5 as Range<Int64> {
            _ = try registry.roles.renew(at: now + step * 3_600)
            let stored = try registry.store.read { (records) throws(RegistryError) in
                try records.live(.timestamp)
            }
            #expect(files.timestamp?.bytes == stored?.bytes)
            #expect(files.timestamp?.sha256 == stored.map { SHA256.digest(of: $0.bytes) })
        }
        let again = try LiveTimestamp(live)
        #expect(again.timestamp == files.timestamp)
    }

    @Test func `a write that fails leaves the timestamp as it was`() throws {
        let store = MemoryStore()
        let live = try LiveTimestamp(store)
        let registry = TestRegistry(store: live)
        try registry.found(at: now)
        let before = live.timestamp
        store.allow(5)
        #expect(throws: RegistryError.self) { try registry.roles.renew(at: now + 9_000) }
        #expect(live.timestamp == before)
    }

    @Test func `metadata is found by its one name, and nothing by another`() throws {
        let live = try LiveTimestamp(MemoryStore())
        let registry = TestRegistry(store: live)
        try registry.found(at: now)
        let files = PublishedFiles(store: live, blobs: registry.blobs)
        let plans = try registry.clientView(of: .plans(registry.model), at: now)
        #expect(
            try files.metadata(named: "1.plans.commands-en.json")?.bytes == plans.bytes)
        for name in [
            "2.root.json", "01.root.json", "1.root", "root.json", "1.timestamp.json",
            "1.plans%2Ecommands-en.json", "../1.root.json", "0.root.json", "-1.root.json", "",
            "1..json",
        ] {
            #expect(try files.metadata(named: name) == nil, "\(name)")
        }
        #expect(try files.metadata(named: "1.root.json") != nil)
    }

    @Test func `a target's name tells its blob`() throws {
        let digest = SHA256.digest(of: [1])
        let plain = try #require(TargetPath("bundles/commands-en/1.0.0.json"))
        let path = try #require(plain.consistent(digest))
        #expect(PublishedFiles.target(at: path) == digest)
        for text in ["bundles/m/1.0.0.json", "\(digest).x", "a/\(digest)", "a/\(digest)x.json"] {
            let other = try #require(TargetPath(text))
            #expect(PublishedFiles.target(at: other) == nil, "\(text)")
        }
    }

    // MARK: Readiness

    private func readiness(_ registry: TestRegistry, keys: OnlineKeys? = nil) -> Readiness {
        Readiness(
            store: registry.store, blobs: registry.blobs, keys: keys ?? TestRegistry.onlineKeys)
    }

    @Test func `a registry is ready when it can write, has keys, and nothing is about to expire`()
        throws
    {
        let store = MemoryStore()
        let blobs = MemoryBlobs()
        let registry = TestRegistry(store: store, blobs: blobs)
        #expect(readiness(registry).problems(at: now).count == 1)
        try registry.found(at: now)
        #expect(readiness(registry).problems(at: now) == [])
        #expect(blobs.uploadCount == 0)
        #expect(
            readiness(registry, keys: OnlineKeys([:])).problems(at: now) == [
                "online key 'snapshot': expected one, got none",
                "online key 'timestamp': expected one, got none",
                "online key 'plans': expected one, got none",
            ])
        let late = now + 3 * TestRegistry.day + -3_600
        #expect(
            readiness(registry).problems(at: late).map { $0.prefix(16) } == ["role 'timestamp'"])
        store.allow(0)
        #expect(readiness(registry).problems(at: now) == ["store: cut"])
    }

    @Test func `a full disk is no ready one`() throws {
        let registry = TestRegistry(blobs: MemoryBlobs(freeBytes: 0))
        try registry.found(at: now)
        #expect(
            readiness(registry).problems(at: now) == [
                "blobs: disk: expected room for the bytes, got none"
            ])
    }

    // MARK: Retention

    @Test func `each class of data goes when its time is over`() throws {
        let registry = TestRegistry()
        try registry.found(at: now)
        var device = TestDevice("one", model: registry.model)
        try registry.enrol(device, at: now)
        let version = try #require(SemanticVersion("1.0.0"))
        let report = device.report(at: now) { report in
            report.version = version
            report.temperatureTenths = 315
            report.batteryPercent = 80
            report.tally.memoryPeakKiB = 4_096
        }
        // A field of tomorrow has no class here, and goes first.
        var fields = try #require(report.json.object)
        fields["schema"] = "fieldfare.report/2"
        fields["humidity_percent"] = 40
        fields["counters"] = .object(
            (fields["counters"]?.object ?? [:]).merging(["whispers": 3]) { one, _ in one })
        let newer = JSON.object(fields)
        let signature = Hex.encode(device.key.sign(newer.canonicalBytes))
        let receipt = try registry.reports.take(
            device.batch([["signed": newer, "signature": .string(signature)]]), at: now)
        #expect(receipt.accepted == [1])
        let retention = Retention(store: registry.store, blobs: registry.blobs)
        func figures() throws -> [FiguresRow] {
            try registry.devices.detail(of: device.id, by: registry.admin).figures
        }
        let week = DataClass.environment.retentionSeconds
        #expect(try retention.run(at: now + week).redacted == 0)
        #expect(try figures().first?.report == report)
        #expect(try retention.run(at: now + week + 1).redacted == 1)
        let left = try #require(try figures().first)
        #expect(left.report.temperatureTenths == nil)
        #expect(left.report.batteryPercent == nil)
        #expect(left.report.tally.memoryPeakKiB == 4_096)
        for word in ["signature", "humidity", "whispers"] {
            #expect(!String(decoding: left.bytes, as: UTF8.self).contains(word), "\(word)")
        }
        #expect(try retention.run(at: now + week + 2).redacted == 0)
        let month = DataClass.usage.retentionSeconds
        #expect(try retention.run(at: now + month).reports == 0)
        #expect(try retention.run(at: now + month + 1).reports > 0)
        #expect(try figures() == [])
        #expect(try registry.devices.detail(of: device.id, by: registry.admin).heard == nil)
    }

    @Test func `every data class has a window of at most thirty days`() {
        for dataClass in DataClass.allCases {
            #expect((1...30 * 86_400).contains(dataClass.retentionSeconds))
        }
    }

    // MARK: Keys from files

    @Test func `online keys come from plain key files by their names`() throws {
        let snapshot = KeyFile(plain: TestKeys.key("snapshot"))
        let next = KeyFile(plain: TestKeys.key("snapshot-2"))
        let keys = try OnlineKeys(files: [
            "snapshot.json": snapshot.bytes, "snapshot.next.json": next.bytes, "other": [1, 2],
        ])
        #expect(
            keys.publicKeys(of: .snapshot) == [snapshot.publicKey, next.publicKey])
        #expect(keys.missing == [.timestamp, .plans])
        var random = SeededGenerator(seed: 1)
        let encrypted = try KeyFile(
            encrypting: TestKeys.key("plans"), passphrase: Array("x".utf8), cost: .least,
            using: &random)
        #expect(throws: KeyFileError.passphraseMissing) {
            try OnlineKeys(files: ["plans.json": encrypted.bytes])
        }
        #expect(throws: KeyFileError.self) { try OnlineKeys(files: ["plans.json": [1]]) }
    }

    // MARK: Texts

    @Test func `every error says thing, expected and got, and has a code`() throws {
        let role = RoleName.targets
        let digest = SHA256.digest(of: [1])
        let path = try #require(TargetPath("bundles/m/1.0.0.json"))
        let model = try #require(ModelName("m"))
        let device = TestDevice("one", model: model).id
        let errors: [(RegistryError, ProblemCode, String)] = [
            (
                .malformed(FieldError(path: "n", expected: "1 to 9", found: "10")),
                .malformedRequest, "request: field 'n': expected 1 to 9, got 10"
            ),
            (
                .notJSON(.unexpectedEnd(offset: 3)), .malformedRequest,
                "request: JSON at byte 3: expected more, got the end of the text"
            ),
            (
                .unauthorised, .unauthorised,
                "token: expected one that is in force, got none or another"
            ),
            (
                .forbidden(needs: Scope(.sign, model)), .forbidden,
                "token: expected scope 'sign:m', got one without it"
            ),
            (.notFound("upload", "x"), .notFound, "upload 'x': expected one, got none"),
            (
                .versionConflict(role, live: .first, offered: .first), .versionConflict,
                "role 'targets': expected version 2, got version 1"
            ),
            (
                .versionConflict(role, live: nil, offered: .first.next), .versionConflict,
                "role 'targets': expected version 1, got version 2"
            ),
            (
                .proposalConflict(role, open: .first, missing: ["a", "b"]), .proposalConflict,
                "role 'targets': expected all that the open proposal 1 contains, "
                    + "got one without a, b"
            ),
            (
                .otherBytes(path, live: digest, offered: digest), .existsWithOtherBytes,
                "target 'bundles/m/1.0.0.json': expected the bytes that it had, \(digest), "
                    + "got \(digest)"
            ),
            (
                .offsetConflict(reached: 7, offered: 9), .offsetConflict,
                "upload: expected offset 7, got 9"
            ),
            (
                .stateConflict(order: "pause", reason: "rollout: expected one, got none"),
                .stateConflict, "order 'pause': rollout: expected one, got none"
            ),
            (
                .rolloutExists(model, .main, state: "running"), .stateConflict,
                "rollout of 'm' in channel 'main': expected one that has ended, "
                    + "got one that is running"
            ),
            (
                .tooLarge("chunk", limit: 5, found: 6), .tooLarge,
                "chunk: expected at most 5, got 6"
            ),
            (
                .digestMismatch(expected: digest, found: digest), .digestMismatch,
                "upload: expected SHA-256 \(digest), got \(digest)"
            ),
            (
                .wrongLength("blob", expected: 5, found: 6), .digestMismatch,
                "blob: expected length 5, got 6"
            ),
            (
                .noValidSignature(role), .refusedByTrust,
                "role 'targets': expected a valid signature of one of its keys, got none"
            ),
            (
                .outsidePaths(role, [path]), .refusedByTrust,
                "role 'targets': expected targets inside its paths, got 'bundles/m/1.0.0.json'"
            ),
            (
                .notPostable(.snapshot), .refusedByTrust,
                "role 'snapshot': expected root, targets or the model role of a known model"
            ),
            (
                .wrongSignature(device), .refusedByTrust,
                "device \(device): expected a signature by its own key, got another"
            ),
            (.refusedByPolicy(["one", "two"]), .refusedByPolicy, "one; two"),
            (.notAcknowledged(["one", "two"]), .warningsNotAcknowledged, "one; two"),
            (
                .tooManyRequests(retryAfterSeconds: 5), .tooManyRequests,
                "requests: expected fewer, got too many; try again in 5 s"
            ),
            (
                .insufficientStorage, .insufficientStorage,
                "disk: expected room for the bytes, got none"
            ),
            (
                .noRepository, .notFound,
                "repository: expected a root and targets, got none yet"
            ),
            (
                .keyMissing(.timestamp), .internal,
                "online key of role 'timestamp': expected one that its delegator names, got none"
            ),
            (.storage("disk gone"), .internal, "store: disk gone"),
            (
                .damagedAudit(.notCanonical(number: 4)), .internal,
                "audit log: record 4: expected canonical JSON of this schema, got something else"
            ),
        ]
        for (error, code, text) in errors {
            #expect(error.code == code)
            #expect(error.description == text)
        }
        // A method is the matter of HTTP alone.
        #expect(Set(errors.map(\.1)) == Set(ProblemCode.allCases).subtracting([.methodNotAllowed]))
    }

    @Test func `what can be done about it is hinted`() {
        #expect(
            RegistryError.offsetConflict(reached: 7, offered: 9).hint == "go on at offset 7")
        #expect(RegistryError.unauthorised.hint == nil)
        #expect(
            RegistryError.forbidden(needs: Scope(.read)).hint
                == "ask an administrator for a token with scope 'read'")
    }
}
