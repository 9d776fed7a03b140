import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct ThresholdTests {
    static let message = Array("message".utf8)

    /// A root whose timestamp role has these keys, under these ids, and this threshold.
    static func verifiers(
        _ keys: [(id: String, key: JSON)], listing ids: [String]? = nil, threshold: Int64
    ) throws -> Verifiers {
        let table = JSONObject(keys.reversed().map { ($0.id, $0.key) })
        let role: (_ ids: [String], _ threshold: Int64) -> JSON = { ids, threshold in
            ["keyids": .array(ids.map { .string($0) }), "threshold": .integer(threshold)]
        }
        let root: JSON = [
            "_type": "root", "spec_version": "1.0.34", "version": 1, "consistent_snapshot": true,
            "expires": "2030-01-01T00:00:00Z", "keys": .object(table),
            "roles": [
                "root": role([], 1), "targets": role([], 1), "snapshot": role([], 1),
                "timestamp": role(ids ?? keys.map(\.id), threshold),
            ],
        ]
        let bytes = JSON.object(["signatures": [], "signed": root]).bytes
        return try Draft<Root>(parsing: bytes, as: .root).content.verifiers(of: .timestamp)
    }

    /// A timestamp with these signatures.
    static func draft(
        _ signatures: (_ message: [UInt8]) -> [(id: String, bytes: [UInt8])]
    ) throws -> Draft<Timestamp> {
        let content = Timestamp(
            expires: UTCTime(clamping: 2_000_000_000), signedAt: nil,
            snapshot: MetaFile(version: .first))
        let message = content.signed.canonicalBytes
        let list = signatures(message).map {
            ["keyid": .string($0.id), "sig": .string(Hex.encode($0.bytes))] as JSON
        }
        return try Draft(
            parsing: JSON.object(["signatures": .array(list), "signed": content.signed]).bytes,
            as: .timestamp)
    }

    static let one = TestKeys.key("one")
    static let two = TestKeys.key("two")

    @Test func `counts one key under two ids once`() throws {
        let verifiers = try Self.verifiers(
            [("a", Self.one.publicKey.tufObject), ("b", Self.one.publicKey.tufObject)], threshold: 2
        )
        let draft = try Self.draft { [("a", Self.one.sign($0)), ("b", Self.one.sign($0))] }
        let progress = draft.progress(towards: verifiers)
        #expect(progress.signedBy.map(\.description) == ["a"])
        #expect(progress.missing == 1)
    }

    @Test func `counts one key once also where its other object has another field`() throws {
        var fields = try #require(Self.one.publicKey.tufObject.object)
        fields["keyid_hash_algorithms"] = ["md5"]
        let verifiers = try Self.verifiers(
            [("a", Self.one.publicKey.tufObject), ("b", .object(fields))], threshold: 2)
        let draft = try Self.draft { [("a", Self.one.sign($0)), ("b", Self.one.sign($0))] }
        #expect(draft.progress(towards: verifiers).missing == 1)
    }

    @Test func `never counts a key of an unknown kind`() throws {
        let unknown: JSON = [
            "keytype": "dilithium", "scheme": "ml-dsa-65", "keyval": ["public": "00"],
        ]
        var scheme = try #require(Self.two.publicKey.tufObject.object)
        scheme["scheme"] = "ed25519ph"
        let verifiers = try Self.verifiers(
            [
                ("a", Self.one.publicKey.tufObject), ("b", unknown), ("c", .object(scheme)),
            ], threshold: 1)
        let draft = try Self.draft { [("b", [1]), ("c", Self.two.sign($0))] }
        #expect(draft.progress(towards: verifiers).signedBy == [])
        #expect(verifiers.publicKeys == [.ed25519(Self.one.publicKey)])
    }

    @Test func `is not harmed by an invalid signature beside enough valid ones`() throws {
        let verifiers = try Self.verifiers(
            [("a", Self.one.publicKey.tufObject), ("b", Self.two.publicKey.tufObject)],
            threshold: 1)
        let draft = try Self.draft {
            [("a", Self.one.sign($0 + [0])), ("nobody", [7]), ("b", Self.two.sign($0))]
        }
        let progress = draft.progress(towards: verifiers)
        #expect(progress.signedBy.map(\.description) == ["b"])
        #expect(progress.isComplete)
        #expect(progress.waitingFor.map(\.description) == ["a"])
        #expect(progress.notCounted.map(\.description) == ["a", "nobody"])
    }

    @Test func `does not count a key that the role does not list`() throws {
        let verifiers = try Self.verifiers(
            [("a", Self.one.publicKey.tufObject), ("b", Self.two.publicKey.tufObject)],
            listing: ["a", "ghost"], threshold: 1)
        let draft = try Self.draft { [("b", Self.two.sign($0)), ("ghost", Self.one.sign($0))] }
        #expect(draft.progress(towards: verifiers).signedBy == [])
    }

    @Test func `refuses a list of signatures that names a key id twice`() throws {
        let id = try #require(KeyID("a"))
        #expect(throws: TUFError.repeatedKeyID(.timestamp, id)) {
            try Self.draft { [("a", Self.one.sign($0)), ("b", [1]), ("a", [2])] }
        }
    }

    @Test func `refuses a whole file for a repeated key id, on the device too`() throws {
        let device = try Device()
        try device.run()
        let name = MetadataFileName(.timestamp)
        device.simulator.edit { $0.updateTimestamp() }
        let bytes = try #require(device.simulator.repository.files[name])
        let twice = try edited(bytes) { fields in
            let list = fields["signatures"]?.array ?? []
            fields["signatures"] = .array(list + list)
        }
        device.simulator.edit { $0.files[name] = twice }
        device.expectRefusal(
            .repeatedKeyID(.timestamp, TestKeys.key("timestamp").publicKey.keyID),
            requests: ["2.root.json", "timestamp.json"])
    }

    /// A timestamp role of two keys, which the root lists as these objects.
    private static func device(_ objects: [(id: String, key: JSON)]) throws -> Device {
        let simulator = RepositorySimulator()
        let device = try Device(simulator)
        try device.run()
        simulator.edit { $0.updateRoot() }
        let bytes = try #require(
            simulator.repository.files[MetadataFileName(.root, version: version(2))])
        let edited = try edited(bytes) { fields in
            guard var signed = fields["signed"]?.object, var keys = signed["keys"]?.object,
                var roles = signed["roles"]?.object
            else { return }
            for (id, key) in objects { keys[id] = key }
            roles["timestamp"] = [
                "keyids": .array(objects.map { .string($0.id) }), "threshold": 2,
            ]
            signed["keys"] = .object(keys)
            signed["roles"] = .object(roles)
            fields["signed"] = .object(signed)
        }
        var draft = try Draft<Root>(parsing: edited, as: .root)
        for key in simulator.repository.signers[.root] ?? [] { draft.sign(with: key) }
        simulator.edit { $0.files[MetadataFileName(.root, version: version(2))] = draft.bytes }
        return device
    }

    private func publish(
        _ signatures: [(id: String, bytes: ([UInt8]) -> [UInt8])], to device: Device
    ) throws {
        device.simulator.edit { $0.updateTimestamp() }
        let name = MetadataFileName(.timestamp)
        let draft = try Draft<Timestamp>(
            parsing: try #require(device.simulator.repository.files[name]), as: .timestamp)
        let bytes = try edited(draft.bytes) { fields in
            fields["signatures"] = .array(
                signatures.map {
                    ["keyid": .string($0.id), "sig": .string(Hex.encode($0.bytes(draft.message)))]
                })
        }
        device.simulator.edit { $0.files[name] = bytes }
    }

    @Test func `a device does not take one key under two ids for two`() throws {
        let one = Self.one
        let device = try Self.device([
            ("a", one.publicKey.tufObject), ("b", one.publicKey.tufObject),
        ])
        try publish([("a", one.sign), ("b", one.sign)], to: device)
        device.expectRefusal(
            .tooFewSignatures(.timestamp, delegator: .root, threshold: 2, valid: 1),
            requests: ["2.root.json", "3.root.json", "timestamp.json"],
            storing: [.root, .timestamp, .snapshot])
    }

    @Test func `a device does not count keys of unknown kinds`() throws {
        let unknown: JSON = [
            "keytype": "dilithium", "scheme": "ml-dsa-65", "keyval": ["public": "00"],
        ]
        let device = try Self.device([("a", Self.one.publicKey.tufObject), ("b", unknown)])
        try publish([("a", Self.one.sign), ("b", { _ in [1] })], to: device)
        device.expectRefusal(
            .tooFewSignatures(.timestamp, delegator: .root, threshold: 2, valid: 1),
            requests: ["2.root.json", "3.root.json", "timestamp.json"],
            storing: [.root, .timestamp, .snapshot])
    }
}
