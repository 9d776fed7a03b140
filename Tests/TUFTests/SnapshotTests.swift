import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct SnapshotTests {
    static func requests(_ number: Int) -> [String] {
        ["2.root.json", "timestamp.json", "\(number).snapshot.json"]
    }

    @Test(arguments: [RoleName.targets, .releases, .plans])
    func `refuses a snapshot that lists an older version of any role`(role: RoleName) throws {
        let device = try Device()
        device.simulator.edit { $0.update(role) }
        try device.run()
        device.simulator.edit {
            $0.snapshot.meta[role] = MetaFile(version: version(1))
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .rollback(role, held: version(2), offered: version(1)), requests: Self.requests(3),
            storing: [.timestamp])
    }

    @Test func `refuses a snapshot that drops a role`() throws {
        let device = try Device()
        try device.run()
        device.simulator.edit {
            $0.snapshot.meta[.plans] = nil
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .roleDropped(.plans, by: version(2)), requests: Self.requests(2),
            storing: [.timestamp])
    }

    @Test func `refuses a snapshot whose length is not the one named`() throws {
        let device = try Device()
        let found = device.simulator.repository.timestamp.snapshot.length ?? 0
        device.simulator.edit {
            $0.timestamp.snapshot = MetaFile(version: version(1), length: found + 1)
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .wrongLength(.snapshot, expected: found + 1, found: found),
            requests: Self.requests(1), storing: [.timestamp])
    }

    @Test func `does not read more of a snapshot than the length named`() throws {
        let device = try Device()
        let found = device.simulator.repository.timestamp.snapshot.length ?? 0
        device.simulator.edit {
            $0.timestamp.snapshot = MetaFile(version: version(1), length: found - 1)
            $0.publishTimestamp()
        }
        let name = MetadataFileName(.snapshot, version: version(1))
        device.expectFailure(
            .fetching(.tooLong(name, limit: found - 1)), requests: Self.requests(1),
            storing: [.timestamp])
    }

    @Test func `reads no more of a snapshot than any may have, where no length is named`() throws {
        let device = try Device()
        let name = MetadataFileName(.snapshot, version: version(1))
        device.simulator.edit {
            $0.timestamp.snapshot = MetaFile(version: version(1))
            $0.publishTimestamp()
            $0.files[name] = [UInt8](repeating: 0x20, count: 2_000_001)
        }
        device.expectFailure(
            .fetching(.tooLong(name, limit: 2_000_000)), requests: Self.requests(1),
            storing: [.timestamp])
    }

    @Test func `refuses an older version of a role also when the held snapshot has expired`() throws
    {
        let device = try Device()
        device.simulator.edit { $0.update(.plans) }
        try device.run(following: ["rollouts/commands-en/main.json"])
        let later = device.simulator.repository.snapshot.expires + 1
        device.simulator.edit {
            $0.snapshot.meta[.plans] = MetaFile(version: version(1))
            $0.snapshot.expires = later + SimulatedRepository.day
            $0.timestamp.expires = later + SimulatedRepository.day
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .rollback(.plans, held: version(2), offered: version(1)), at: later,
            requests: Self.requests(3), storing: [.timestamp])
    }

    @Test func `refuses a snapshot whose digest is not the one named`() throws {
        let device = try Device()
        let other = FileHashes(of: [1])
        device.simulator.edit {
            $0.timestamp.snapshot = MetaFile(version: version(1), hashes: other)
            $0.publishTimestamp()
        }
        let name = MetadataFileName(.snapshot, version: version(1))
        let bytes = try #require(device.simulator.repository.files[name])
        device.expectRefusal(
            .wrongDigest(.snapshot, expected: other, found: SHA256.digest(of: bytes)),
            requests: Self.requests(1), storing: [.timestamp])
    }

    /// Both digests are listed, and each is wrong once: every one that we know has to match.
    @Test(arguments: ["sha256", "sha512"])
    func `checks SHA-256 and SHA-512 where both are listed`(wrong: String) throws {
        let device = try Device()
        let name = MetadataFileName(.snapshot, version: version(1))
        let bytes = try #require(device.simulator.repository.files[name])
        func publish(_ digests: JSONObject) throws {
            let signed = try edited(device.simulator.repository.timestamp.signed.bytes) {
                $0["meta"] = ["snapshot.json": ["version": 1, "hashes": .object(digests)]]
            }
            let envelope = JSON.object([
                "signatures": [], "signed": try JSON(parsing: signed, limit: 10_000),
            ])
            let draft = try Draft<Timestamp>(parsing: envelope.bytes, as: .timestamp)
            device.simulator.edit {
                $0.timestamp = draft.content
                $0.publishTimestamp()
            }
        }
        let good: JSONObject = [
            "sha256": .string(SHA256.digest(of: bytes).hex),
            "sha512": .string(Hex.encode(SHA512.digest(of: bytes))), "blake2b": "unknown",
        ]
        let zeros = String(repeating: "00", count: wrong == "sha256" ? 32 : 64)
        try publish(good.merging([wrong: .string(zeros)]) { $1 })
        let hashes = try #require(device.simulator.repository.timestamp.snapshot.hashes)
        device.expectRefusal(
            .wrongDigest(.snapshot, expected: hashes, found: SHA256.digest(of: bytes)),
            requests: Self.requests(1), storing: [.timestamp])
        try publish(good)
        device.simulator.edit { $0.updateTimestamp() }
        #expect(throws: Never.self) { try device.run() }
    }

    @Test func `refuses a snapshot of another version than the one named`() throws {
        let device = try Device()
        device.simulator.edit {
            $0.files[MetadataFileName(.snapshot, version: version(2))] =
                $0.files[MetadataFileName(.snapshot, version: version(1))]
            $0.timestamp.snapshot = MetaFile(version: version(2))
            $0.publishTimestamp()
        }
        device.expectRefusal(
            .wrongVersion(.snapshot, expected: version(2), found: version(1)),
            requests: Self.requests(2), storing: [.timestamp])
    }

    @Test func `refuses a snapshot that another key has signed`() throws {
        let device = try Device()
        device.simulator.edit {
            $0.signers[.snapshot] = [TestKeys.key("timestamp")]
            $0.updateSnapshot()
        }
        device.expectRefusal(
            .tooFewSignatures(.snapshot, delegator: .root, threshold: 1, valid: 0),
            requests: Self.requests(2), storing: [.timestamp])
    }

    @Test func `refuses an expired snapshot, fetched or stored`() throws {
        let device = try Device()
        let end = device.simulator.repository.now + 60
        device.simulator.edit {
            $0.snapshot.expires = end
            $0.updateSnapshot()
        }
        let error = TUFError.expired(.snapshot, at: end, start: end)
        device.expectRefusal(
            error, at: end, requests: Self.requests(2), storing: [.timestamp])
        try device.run(at: end + -1)
        device.expectRefusal(error, at: end, requests: ["2.root.json", "timestamp.json"])
    }

    @Test func `fetches the snapshot again when the stored bytes are not the ones named`() throws {
        let device = try Device()
        try device.run()
        device.simulator.edit {
            $0.snapshot.expires = $0.snapshot.expires + 1
            $0.timestamp.version = version(2)
            $0.publishSnapshot()
        }
        device.simulator.forgetRequests()
        let repository = try device.run()
        #expect(device.simulator.requests == Self.requests(1))
        #expect(device.store[.snapshot] == repository.snapshot.bytes)
    }
}
