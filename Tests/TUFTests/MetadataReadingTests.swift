import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// What each kind of metadata refuses, and what it keeps.
struct MetadataReadingTests {
    static let repository = RepositorySimulator().repository
    static let model = RoleName.releases

    struct Fault: Sendable, CustomTestStringConvertible {
        let role: RoleName
        /// Where in `signed`, and what to put there; nil removes the field.
        let path: [String]
        let value: JSON?
        let expected: String
        let found: String
        var at: String?
        var testDescription: String { "\(role) \(path.joined(separator: "."))" }
        var errorPath: String { at ?? "signed." + path.joined(separator: ".") }
    }

    static let faults: [Fault] = [
        Fault(
            role: .root, path: ["_type"], value: "targets", expected: "'root'", found: "'targets'"),
        Fault(role: .root, path: ["_type"], value: nil, expected: "a string", found: "nothing"),
        Fault(
            role: .timestamp, path: ["spec_version"], value: "2.0.0",
            expected: "specification version 1.x", found: "'2.0.0'"),
        Fault(
            role: .timestamp, path: ["spec_version"], value: "1.",
            expected: "specification version 1.x", found: "'1.'"),
        Fault(
            role: .snapshot, path: ["version"], value: 0, expected: "1 to \(Int64.max)", found: "0"),
        Fault(
            role: .snapshot, path: ["version"], value: "1", expected: "an integer",
            found: "a string"),
        Fault(
            role: .targets, path: ["expires"], value: "2030-01-01T00:00:00+00:00",
            expected: "a time such as 2030-01-31T00:00:00Z", found: "'2030-01-01T00:00:00+00:00'"),
        Fault(
            role: .root, path: ["roles", "snapshot"], value: nil, expected: "role 'snapshot'",
            found: "none", at: "signed.roles"),
        Fault(
            role: .root, path: ["roles", "root", "threshold"], value: 0, expected: "1 to 1024",
            found: "0"),
        Fault(
            role: .root, path: ["roles", "root", "keyids"], value: ["a", "a"],
            expected: "each key id once", found: "'a' again", at: "signed.roles.root.keyids[1]"),
        Fault(
            role: .root, path: ["roles", "root", "keyids"], value: [1],
            expected: "a key id: 1 to 256 bytes", found: "an integer",
            at: "signed.roles.root.keyids[0]"),
        Fault(
            role: .root, path: ["keys", "x"], value: ["keytype": "ed25519", "keyval": [:]],
            expected: "a string", found: "nothing", at: "signed.keys.x.scheme"),
        Fault(
            role: .root, path: ["consistent_snapshot"], value: 1, expected: "true or false",
            found: "an integer"),
        Fault(
            role: .timestamp, path: ["meta", "targets.json"], value: ["version": 1],
            expected: "'snapshot.json' only", found: "more", at: "signed.meta"),
        Fault(
            role: .timestamp, path: ["meta", "snapshot.json"], value: nil,
            expected: "what snapshot is", found: "nothing"),
        Fault(
            role: .timestamp, path: ["meta", "snapshot.json", "length"], value: 0,
            expected: "1 to 2147483647", found: "0"),
        Fault(
            role: .timestamp, path: ["meta", "snapshot.json", "hashes"], value: ["md5": "00"],
            expected: "a sha256 or sha512 digest", found: "none"),
        Fault(
            role: .timestamp, path: ["meta", "snapshot.json", "hashes"], value: ["sha256": "00"],
            expected: "64 lower-case hexadecimal digits", found: "'00'",
            at: "signed.meta.snapshot.json.hashes.sha256"),
        Fault(
            role: .timestamp, path: ["x-fieldfare-signed-at"], value: "now",
            expected: "a time such as 2030-01-31T00:00:00Z", found: "'now'"),
        Fault(
            role: .snapshot, path: ["meta", "targets.json"], value: nil,
            expected: "'targets.json'", found: "nothing", at: "signed.meta"),
        Fault(
            role: .snapshot, path: ["meta", "notes.txt"], value: ["version": 1],
            expected: "'<role>.json', \(RoleName.expected)", found: "'notes.txt'"),
        Fault(
            role: .snapshot, path: ["meta", ".json"], value: ["version": 1],
            expected: "'<role>.json', \(RoleName.expected)", found: "'.json'"),
        Fault(
            role: model, path: ["targets", "x"], value: ["length": -1, "hashes": [:]],
            expected: "0 to \(Int64.max)", found: "-1", at: "signed.targets.x.length"),
        Fault(
            role: model, path: ["targets", "x"], value: ["length": 1],
            expected: "digests of the file", found: "nothing", at: "signed.targets.x.hashes"),
        Fault(
            role: model, path: ["targets"], value: nil, expected: "an object", found: "nothing"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A"), Self.delegation("A")], expected: "each role once",
            found: "'A' again", at: "signed.delegations.roles[1]"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A", ["path_hash_prefixes": ["0a"]])],
            expected: "one of 'paths' and 'path_hash_prefixes'", found: "both",
            at: "signed.delegations.roles[0]"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A", ["paths": .null])], expected: "an array", found: "null",
            at: "signed.delegations.roles[0].paths"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A", paths: nil)],
            expected: "one of 'paths' and 'path_hash_prefixes'", found: "neither",
            at: "signed.delegations.roles[0]"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A", ["path_hash_prefixes": ["0A"]], paths: nil)],
            expected: "lower-case hexadecimal digits", found: "a string",
            at: "signed.delegations.roles[0].path_hash_prefixes[0]"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("", [:])], expected: "a delegated role's name", found: "''",
            at: "signed.delegations.roles[0].name"),
        Fault(
            role: .targets, path: ["delegations", "roles"],
            value: [Self.delegation("A", ["terminating": .null])], expected: "true or false",
            found: "null", at: "signed.delegations.roles[0].terminating"),
    ]

    static func delegation(
        _ name: String, _ changes: JSONObject = [:], paths: JSON? = ["*"]
    ) -> JSON {
        var fields: JSONObject = [
            "name": .string(name), "keyids": [], "threshold": 1, "terminating": false,
        ]
        fields["paths"] = paths
        return .object(fields.merging(changes) { $1 })
    }

    static func put(_ value: JSON?, at path: ArraySlice<String>, in json: JSON) -> JSON {
        guard let key = path.first else { return value ?? .null }
        var fields = json.object ?? [:]
        if path.count == 1 {
            fields[key] = value
        } else {
            fields[key] = put(value, at: path.dropFirst(), in: fields[key] ?? [:])
        }
        return .object(fields)
    }

    static func signed(_ role: RoleName) throws -> JSON {
        switch role {
        case .root: repository.root.signed
        case .timestamp: repository.timestamp.signed
        case .snapshot: repository.snapshot.signed
        default: try #require(repository.roles[role]).signed
        }
    }

    static func read(_ bytes: [UInt8], as role: RoleName) throws {
        switch role {
        case .root: _ = try Unverified<Root>(parsing: bytes, as: role, limit: 100_000)
        case .timestamp: _ = try Unverified<Timestamp>(parsing: bytes, as: role, limit: 100_000)
        case .snapshot: _ = try Unverified<Snapshot>(parsing: bytes, as: role, limit: 100_000)
        default: _ = try Unverified<Targets>(parsing: bytes, as: role, limit: 100_000)
        }
    }

    @Test(arguments: faults)
    func `refuses a field that is not what the specification asks for`(fault: Fault) throws {
        let signed = Self.put(fault.value, at: fault.path[...], in: try Self.signed(fault.role))
        let bytes = JSON.object(["signatures": [], "signed": signed]).bytes
        let error = FieldError(path: fault.errorPath, expected: fault.expected, found: fault.found)
        #expect(throws: TUFError.malformed(fault.role, error)) {
            try Self.read(bytes, as: fault.role)
        }
    }

    @Test(arguments: [
        ("{}", "signed", "the signed part", "nothing"),
        ("{\"signed\":1}", "signed", "an object", "an integer"),
        ("[]", "", "an object", "an array"),
    ])
    func `refuses an envelope that is none`(
        text: String, path: String, expected: String, found: String
    ) {
        let error = FieldError(path: path, expected: expected, found: found)
        #expect(throws: TUFError.malformed(.root, error)) {
            try Self.read(Array(text.utf8), as: .root)
        }
    }

    @Test func `refuses bytes that two parsers would read differently`() throws {
        let twice = Array("{\"signatures\":[],\"signed\":{\"version\":1,\"version\":2}}".utf8)
        #expect(throws: TUFError.notJSON(.root, .duplicateKey("version", offset: 39))) {
            try Self.read(twice, as: .root)
        }
        let deep = Array(String(repeating: "[", count: 17).utf8)
        #expect(throws: TUFError.notJSON(.root, .tooDeep(limit: 16, offset: 16))) {
            try Self.read(deep, as: .root)
        }
        #expect(throws: TUFError.tooLong(.root, limit: 100_000, found: 100_001)) {
            try Self.read([UInt8](repeating: 0x20, count: 100_001), as: .root)
        }
    }

    @Test(arguments: ["1.0", "1.0.0", "1.0.34", "1.1.0", "1.25.3"])
    func `takes any 1_x of the specification`(text: String) throws {
        let signed = Self.put(.string(text), at: ["spec_version"], in: try Self.signed(.timestamp))
        let bytes = JSON.object(["signatures": [], "signed": signed]).bytes
        #expect(throws: Never.self) { try Self.read(bytes, as: .timestamp) }
    }

    @Test(arguments: ["1", "1.0.0.0", "1.x", "01.0", "", "1..0", "1.0.-1"])
    func `refuses what is not a version of the specification`(text: String) throws {
        let signed = Self.put(.string(text), at: ["spec_version"], in: try Self.signed(.timestamp))
        let bytes = JSON.object(["signatures": [], "signed": signed]).bytes
        let error = FieldError(
            path: "signed.spec_version", expected: "specification version 1.x", found: "'\(text)'")
        #expect(throws: TUFError.malformed(.timestamp, error)) {
            try Self.read(bytes, as: .timestamp)
        }
    }

    @Test func `keeps unknown fields at every level when it writes again`() throws {
        let unknown: [[String]: RoleName] = [
            ["x"]: .root, ["keys", "k"]: .root, ["roles", "timestamp", "s"]: .root,
            ["y"]: .timestamp, ["z"]: .snapshot,
            ["meta", "snapshot.json", "w"]: .timestamp, ["meta", "targets.json", "v"]: .snapshot,
            ["u"]: .targets, ["delegations", "t"]: .targets,
        ]
        for (path, role) in unknown {
            let value: JSON =
                path.first == "keys"
                ? [
                    "keytype": "rsa", "scheme": "rsassa-pss-sha256", "extra": 1,
                    "keyval": ["public": "pem", "more": [1]],
                ] : ["kept": [1, "two", .null]]
            let signed = Self.put(value, at: path[...], in: try Self.signed(role))
            try Self.expectSame(signed, role)
        }
        let delegation = Self.delegation("A", ["extra": ["kept": true]])
        try Self.expectSame(
            Self.put([delegation], at: ["delegations", "roles"], in: Self.signed(.targets)),
            .targets)
        let file: JSON = [
            "length": 1,
            "hashes": [
                "sha256": .string(String(repeating: "0a", count: 32)), "blake2b-256": "of another",
            ],
            "custom": ["a": 1], "extra": [2],
        ]
        try Self.expectSame(
            Self.put(file, at: ["targets", "x"], in: Self.signed(Self.model)), Self.model)
    }

    @Test(arguments: ["../x", "a//b", "", "/x", String(repeating: "a", count: 513)])
    func `a path that could leave a folder spoils nothing, and is no target`(path: String) throws {
        let odd: JSON = ["length": 1, "hashes": ["sha256": "what it may mean is its owner's"]]
        let signed = Self.put(odd, at: ["targets", path], in: try Self.signed(Self.model))
        try Self.expectSame(signed, Self.model)
        let bytes = JSON.object(["signatures": [], "signed": signed]).bytes
        let content = try Draft<Targets>(parsing: bytes, as: Self.model).content
        let before = try Draft<Targets>(
            parsing: JSON.object(["signatures": [], "signed": Self.signed(Self.model)]).bytes,
            as: Self.model
        ).content
        #expect(content.unusablePaths == [path])
        #expect(content.targets == before.targets)
    }

    static func expectSame(_ signed: JSON, _ role: RoleName) throws {
        let bytes = JSON.object(["signatures": [], "signed": signed]).bytes
        let again: JSON =
            switch role {
            case .root: try Draft<Root>(parsing: bytes, as: role).content.signed
            case .timestamp: try Draft<Timestamp>(parsing: bytes, as: role).content.signed
            case .snapshot: try Draft<Snapshot>(parsing: bytes, as: role).content.signed
            default: try Draft<Targets>(parsing: bytes, as: role).content.signed
            }
        #expect(again == signed)
    }

    @Test func `refuses versions and thresholds below 1`() {
        #expect(MetadataVersion(0) == nil)
        #expect(MetadataVersion(1) == .first)
        #expect(MetadataVersion(.max)?.next == MetadataVersion(.max))
        #expect(Threshold(0) == nil)
        #expect(Threshold(2) == .two)
        #expect(Threshold.one < .two)
        #expect(Threshold.two.description == "2")
    }

    /// As many as the limit are read, one more is not.
    @Test(arguments: ["keys", "keyids", "signatures", "roles", "paths", "targets"])
    func `takes as much of each structure as its limit says`(structure: String) throws {
        let (limit, role, path): (Int, RoleName, String) =
            switch structure {
            case "keys": (16_384, .root, "signed.keys")
            case "keyids": (1_024, .root, "signed.roles.root.keyids")
            case "signatures": (1_024, .timestamp, "signatures")
            case "roles": (65_536, .targets, "signed.delegations.roles")
            case "paths": (4_096, .targets, "signed.delegations.roles[0].paths")
            default: (100_000, .targets, "signed.targets")
            }
        for count in [limit, limit + 1] {
            let names = (0..<count).map { "n\($0)" }
            let list = JSON.array(names.map { .string($0) })
            var signed = try Self.signed(role)
            var signatures: JSON = []
            switch structure {
            case "keys":
                let key: JSON = ["keytype": "x", "scheme": "x", "keyval": ["public": "x"]]
                signed = Self.put(
                    .object(JSONObject(names.map { ($0, key) })), at: ["keys"], in: signed)
            case "keyids": signed = Self.put(list, at: ["roles", "root", "keyids"], in: signed)
            case "signatures":
                signatures = .array(names.map { ["keyid": .string($0), "sig": "00"] })
            case "roles":
                let roles = names.map { Self.delegation($0, [:]) }
                signed = Self.put(.array(roles), at: ["delegations", "roles"], in: signed)
            case "paths":
                signed = Self.put(
                    [Self.delegation("A", ["paths": list])], at: ["delegations", "roles"],
                    in: signed)
            default:
                let targets = names.map {
                    (
                        $0,
                        JSON.object([
                            "length": 1,
                            "hashes": ["sha512": .string(String(repeating: "0", count: 128))],
                        ])
                    )
                }
                signed = Self.put(.object(JSONObject(targets)), at: ["targets"], in: signed)
            }
            let bytes = JSON.object(["signatures": signatures, "signed": signed]).bytes
            var limits = Limits()
            limits.root = 64 << 20
            limits.timestamp = 64 << 20
            limits.targets = 64 << 20
            let error = Self.refusal(of: bytes, as: role, limits)
            guard count > limit else {
                #expect(error == nil)
                continue
            }
            guard case .malformed(role, let field) = error else {
                Issue.record("expected a refusal, got \(error.map { "\($0)" } ?? "none")")
                continue
            }
            #expect(field.path == path)
            #expect(field.expected.hasPrefix("at most \(limit) ") && field.found == "\(limit + 1)")
        }
    }

    private static func refusal(of bytes: [UInt8], as role: RoleName, _ limits: Limits) -> TUFError?
    {
        do throws(TUFError) {
            switch role {
            case .root: _ = try Draft<Root>(parsing: bytes, as: role, limits: limits)
            case .timestamp: _ = try Draft<Timestamp>(parsing: bytes, as: role, limits: limits)
            default: _ = try Draft<Targets>(parsing: bytes, as: role, limits: limits)
            }
            return nil
        } catch {
            return error
        }
    }
}
