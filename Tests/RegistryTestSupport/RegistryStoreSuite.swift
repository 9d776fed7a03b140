import Cryptography
import Primitives
package import RegistryCore
import Rollouts
import TUF
import TestSupport
import Testing

/// What every `RegistryStoring` must do: run by the tests of memory and SQLite alike.
package struct RegistryStoreSuite {
    private let make: () throws -> any RegistryStoring
    private let now = UTCTime(clamping: 1_764_000_000)

    package init(make: @escaping () throws -> any RegistryStoring) {
        self.make = make
    }

    private struct Abandoned: Error {}

    private func stored(_ role: RoleName, _ version: Int64) throws -> StoredRole {
        StoredRole(
            role: role, version: try #require(MetadataVersion(version)),
            bytes: Array("\(role) \(version)".utf8))
    }

    /// A transaction that throws has changed nothing, in any table.
    package func rollsBack() throws {
        let store = try make()
        let file = try stored(.targets, 1)
        let digest = SHA256.digest(of: [1])
        let path = try #require(TargetPath("bundles/m/1.0.0.json"))
        let failure = RegistryError.storage("on purpose")
        #expect(throws: failure) {
            try store.write { (records) throws(RegistryError) in
                try records.add(file, at: now)
                try records.setProposal(.targets, file)
                try records.setFirstDigest(of: path, digest)
                try records.setEnrolment(
                    EnrolmentRecord(digest: digest, created: now, expires: now + 60))
                let record = AuditRecord(
                    AuditEvent(name: "x", subject: "y", facts: [:]), by: .registry, at: now,
                    after: nil)
                try records.add(StoredAuditRecord(record))
                throw failure
            }
        }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.live(.targets) == nil)
            #expect(try records.proposal(.targets) == nil)
            #expect(try records.firstDigest(of: path) == nil)
            #expect(try records.enrolments(digestPrefix: Array(digest.bytes.prefix(8))) == [])
            #expect(try records.auditHead() == nil)
        }
    }

    /// The newest version is live, older ones stay, none is put in the place of another.
    package func keepsVersions() throws {
        let store = try make()
        let first = try stored(.targets, 1)
        let second = try stored(.targets, 2)
        try store.write { (records) throws(RegistryError) in
            try records.add(first, at: now)
            try records.add(second, at: now)
        }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.live(.targets) == second)
            #expect(try records.file(.targets, .first) == first)
            #expect(try records.live(.root) == nil)
        }
        for again in [first, second] {
            #expect(throws: RegistryError.self) {
                try store.write { (records) throws(RegistryError) in
                    try records.add(again, at: now)
                }
            }
        }
    }

    /// A proposal is replaced and closed; a target's first digest stays.
    package func keepsProposalsAndFirstDigests() throws {
        let store = try make()
        let one = try stored(.targets, 1)
        let two = try stored(.targets, 2)
        let path = try #require(TargetPath("bundles/m/1.0.0.json"))
        try store.write { (records) throws(RegistryError) in
            try records.setProposal(.targets, one)
            try records.setProposal(.targets, two)
            try records.setFirstDigest(of: path, SHA256.digest(of: [1]))
            try records.setFirstDigest(of: path, SHA256.digest(of: [2]))
            #expect(try records.proposal(.targets) == two)
            #expect(try records.firstDigest(of: path) == SHA256.digest(of: [1]))
            try records.setProposal(.targets, nil)
            #expect(try records.proposal(.targets) == nil)
        }
    }

    /// The audit log takes the next number and no other, and is read by number and subject.
    package func growsTheAuditLog() throws {
        let store = try make()
        try store.write { (records) throws(RegistryError) in
            for index in 0..<5 {
                let event = AuditEvent(
                    name: "e\(index)", subject: index % 2 == 0 ? "even" : "odd", facts: [:])
                let record = AuditRecord(
                    event, by: .registry, at: now, after: try records.auditHead())
                try records.add(StoredAuditRecord(record))
            }
        }
        let all = try store.read { (records) throws(RegistryError) in
            #expect(
                try records.auditRecords(after: 0, limit: 9, subject: "odd").map(\.number) == [
                    2, 4,
                ])
            #expect(
                try records.auditRecords(after: 2, limit: 2, subject: nil).map(\.number) == [3, 4])
            return try records.auditRecords(after: 0, limit: 9, subject: nil)
        }
        var chain = AuditChain()
        for record in all { try chain.verify(record) }
        #expect(chain.head?.number == 5)
        #expect(throws: RegistryError.self) {
            try store.write { (records) throws(RegistryError) in try records.add(all[1]) }
        }
    }

    /// Tokens are found by the beginning of their digest, and go when they are revoked.
    package func findsTokens() throws {
        let store = try make()
        let id = try #require(TokenID("0123456789abcdef"))
        let model = try #require(ModelName("m"))
        let record = TokenRecord(
            id: id, name: "ci", digest: SHA256.digest(of: [9]),
            scopes: [Scope(.publish, model), Scope(.read)], created: now, expires: now + 60)
        let prefix = Array(record.digest.bytes.prefix(8))
        try store.write { (records) throws(RegistryError) in try records.setToken(id, record) }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.tokens(digestPrefix: prefix) == [record])
            #expect(try records.tokens(digestPrefix: [0, 0, 0, 0, 0, 0, 0, 0]) == [])
            #expect(try records.tokens() == [record])
        }
        try store.write { (records) throws(RegistryError) in try records.setToken(id, nil) }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.tokens() == [])
        }
    }

    /// Retention takes what is due, and leaves what a client may still need.
    package func retains() throws {
        let store = try make()
        let old = now + -100
        let files = [
            (try stored(.root, 1), old), (try stored(.root, 2), now),
            (try stored(.snapshot, 1), old), (try stored(.snapshot, 2), old + 1),
            (try stored(.snapshot, 3), now), (try stored(.timestamp, 1), old),
        ]
        let spent = EnrolmentRecord(
            digest: SHA256.digest(of: [1]), created: old, expires: now + 60,
            use: .used(by: nil))
        let good = EnrolmentRecord(
            digest: SHA256.digest(of: [2]), created: old, expires: now + 60)
        try store.write { (records) throws(RegistryError) in
            for (file, added) in files { try records.add(file, at: added) }
            try records.setEnrolment(spent)
            try records.setEnrolment(good)
        }
        try store.write { (records) throws(RegistryError) in
            #expect(try records.dropMetadata(olderThan: now) == 1)
            #expect(try records.dropAccess(olderThan: now) == 1)
        }
        let second = try #require(MetadataVersion(2))
        try store.read { (records) throws(RegistryError) in
            #expect(try records.file(.root, .first) != nil)
            #expect(try records.file(.snapshot, .first) == nil)
            #expect(try records.file(.snapshot, second) != nil)
            #expect(try records.live(.timestamp) != nil)
            let prefix = Array(good.digest.bytes.prefix(8))
            #expect(try records.enrolments(digestPrefix: prefix) == [good])
        }
    }

    /// A device has one pin in a channel, and takes it along when it is forgotten.
    package func keepsPins() throws {
        let store = try make()
        let device = TestDevice("pinned", model: try #require(ModelName("m")))
        let night = try #require(ChannelName("night"))
        func pin(_ channel: ChannelName, _ version: String) throws -> PinRecord {
            PinRecord(
                device: device.id, model: device.model, channel: channel,
                bundle: BundleReference(
                    version: try #require(SemanticVersion(version)),
                    sha256: SHA256.digest(of: Array(version.utf8)), length: 7),
                expires: now + 60, owner: "a 'person'", reason: "", made: now)
        }
        let agent = try #require(SemanticVersion("1.0.0"))
        let first = try pin(.main, "1.0.0")
        let second = try pin(.main, "1.1.0")
        let other = try pin(night, "1.0.0")
        try store.write { (records) throws(RegistryError) in
            try records.setDevice(
                DeviceRecord(
                    publicKey: device.key.publicKey, enrolled: now,
                    attributes: device.attributes, attributesReceived: now, agent: agent))
            for record in [first, second, other] { try records.setPin(record) }
        }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.pins(device.model, .main) == [second])
            #expect(try records.pins(device.model, night) == [other])
        }
        try store.write { (records) throws(RegistryError) in
            #expect(try records.dropPin(of: device.id, device.model, .main))
            #expect(try !records.dropPin(of: device.id, device.model, .main))
            #expect(try records.pins(device.model, night) == [other])
            #expect(try records.forget(device.id))
            #expect(try records.pins(device.model, night) == [])
        }
    }

    /// A cohort has one trial in a channel, the newest.
    package func keepsPlacebos() throws {
        let store = try make()
        let model = try #require(ModelName("m"))
        let night = try #require(ChannelName("night"))
        func trial(
            _ cohort: String, fired: Int, in channel: ChannelName = .main
        ) throws
            -> PlaceboRecord
        {
            PlaceboRecord(
                model: model, channel: channel, cohort: try #require(Cohort(cohort)), at: now,
                devices: 40, runs: 300, fired: fired)
        }
        let (old, new) = (try trial("eu/hub", fired: 9), try trial("eu/hub", fired: 3))
        let (us, other) = (
            try trial("us/hub", fired: 4), try trial("eu/hub", fired: 0, in: night)
        )
        try store.write { (records) throws(RegistryError) in
            for record in [us, old, other, new] { try records.setPlacebo(record) }
        }
        try store.read { (records) throws(RegistryError) in
            #expect(try records.placebos(model, .main) == [new, us])
            #expect(try records.placebos(model, night) == [other])
        }
        #expect(new.isTrusted && !us.isTrusted && !old.isTrusted)
    }

    /// All of it.
    package func run() throws {
        try rollsBack()
        try keepsPlacebos()
        try keepsVersions()
        try keepsProposalsAndFirstDigests()
        try growsTheAuditLog()
        try findsTokens()
        try retains()
        try keepsPins()
        try make().probe()
    }
}
