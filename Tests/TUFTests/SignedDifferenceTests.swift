import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// Nothing is signed unseen.
struct SignedDifferenceTests {
    static func lines(
        _ role: RoleName, _ edit: (inout JSONObject) throws -> Void
    ) throws -> [String] {
        let old = try signed(role)
        var new = try #require(old.object)
        try edit(&new)
        return SignedDifference(from: old, to: .object(new)).lines
    }

    static func signed(_ role: RoleName) throws -> JSON {
        let repository = RepositorySimulator().repository
        if role == .root { return repository.root.signed }
        return try #require(repository.roles[role]).signed
    }

    static func field(
        _ path: [String], of json: JSON, as value: (JSON?) -> JSON?
    ) -> JSON {
        guard let key = path.first, case .object(var fields) = json else {
            return value(json) ?? .null
        }
        if path.count == 1 {
            fields[key] = value(fields[key])
        } else {
            fields[key] = field(Array(path.dropFirst()), of: fields[key] ?? [:], as: value)
        }
        return .object(fields)
    }

    static func lines(
        _ role: RoleName, _ path: [String], _ value: (JSON?) -> JSON?
    ) throws -> [String] {
        let old = try signed(role)
        return SignedDifference(from: old, to: field(path, of: old, as: value)).lines
    }

    @Test func `shows what changes in a root, whatever it is`() throws {
        let a = TestKeys.key("timestamp").publicKey.keyID
        let cases: [([String], (JSON?) -> JSON?, [String])] = [
            (["version"], { _ in 2 }, ["version 1 -> 2, expires 2028-01-15T08:00:00Z"]),
            (
                ["expires"], { _ in "2099-01-01T00:00:00Z" },
                ["version 1, expires 2028-01-15T08:00:00Z -> 2099-01-01T00:00:00Z"]
            ),
            (["consistent_snapshot"], { _ in false }, ["~ consistent_snapshot: true -> false"]),
            (["spec_version"], { _ in "1.9.9" }, ["~ spec_version: 1.0.34 -> 1.9.9"]),
            (["roles", "root", "threshold"], { _ in 1 }, ["~ role root, threshold: 2 -> 1"]),
            (
                ["roles", "timestamp", "keyids"], { _ in [.string("\(a)"), "x"] },
                ["+ role timestamp, keyids: x"]
            ),
            (
                ["roles", "timestamp", "keyids"], { _ in ["x"] },
                ["- role timestamp, keyids: \(a)", "+ role timestamp, keyids: x"]
            ),
            (
                ["roles", "timestamp"], { _ in nil },
                ["- role timestamp: {\"keyids\":[\"\(a)\"],\"threshold\":1}"]
            ),
            (
                ["keys", "\(a)", "keyval", "public"], { _ in "00" },
                [
                    "~ key \(a), keyval, public: \(Hex.encode(TestKeys.key("timestamp").publicKey.bytes)) -> 00"
                ]
            ),
            (["keys", "\u{1b}[2K"], { _ in ["x": 1] }, [#"+ key \u{1b}[2K: {"x":1}"#]),
            (["x-more"], { _ in ["a": [1]] }, [#"+ x-more: {"a":[1]}"#]),
        ]
        for (path, value, expected) in cases {
            let lines = try Self.lines(.root, path, value)
            let isHead = expected[0].hasPrefix("version")
            #expect((isHead ? lines : Array(lines.dropFirst())) == expected, "\(path)")
        }
    }

    @Test func `shows delegations by name, with paths, keys and their order`() throws {
        let old = try Self.signed(.targets)
        let roles = try #require(old["delegations"]?["roles"]?.array)
        try #require(roles.count == 2)
        let cases: [([JSON], [String])] = [
            ([roles[1], roles[0]], ["~ order of roles: plans.commands-en, model.commands-en"]),
            (
                [Self.field(["paths"], of: roles[0]) { _ in ["*/*/*"] }, roles[1]],
                [
                    "- role model.commands-en, paths: bundles/commands-en/*",
                    "- role model.commands-en, paths: policies/commands-en/*",
                    "+ role model.commands-en, paths: */*/*",
                ]
            ),
            (
                [Self.field(["terminating"], of: roles[0]) { _ in false }, roles[1]],
                ["~ role model.commands-en, terminating: true -> false"]
            ),
            ([roles[0]], []),
            ([["name": "zz\u{1b}[1A\r"], roles[0], roles[1]], []),
        ]
        for (changed, expected) in cases {
            let new = Self.field(["delegations", "roles"], of: old) { _ in .array(changed) }
            let lines = Array(SignedDifference(from: old, to: new).lines.dropFirst())
            if expected.isEmpty { #expect(!lines.isEmpty) } else { #expect(lines == expected) }
            #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } })
        }
        let inserted = Self.field(["delegations", "roles"], of: old) { _ in
            .array([["name": "A"], roles[0], roles[1]])
        }
        #expect(
            SignedDifference(from: old, to: inserted).lines.last
                == "~ order of roles: A, model.commands-en, plans.commands-en")
    }

    @Test func `shows a first version whole, and targets in words`() throws {
        let path = try #require(TargetPath("bundles/commands-en/1.0.0.json"))
        var content = Targets(expires: UTCTime(clamping: 0))
        content.targets[path] = TargetDescription(of: [1], custom: nil)
        let digest = SHA256.digest(of: [1])
        #expect(
            SignedDifference(from: nil, to: content.signed).lines == [
                "version none -> 1, expires none -> 1970-01-01T00:00:00Z", "+ _type: targets",
                "+ spec_version: 1.0.34",
                "+ target bundles/commands-en/1.0.0.json: 1 bytes, sha256 \(digest)",
            ])
        var custom = content
        custom.targets[path] = TargetDescription(of: [1], custom: ["a": "b"])
        #expect(
            SignedDifference(from: content.signed, to: custom.signed).lines.dropFirst() == [
                #"+ target bundles/commands-en/1.0.0.json, custom: {"a":"b"}"#
            ])
    }

    /// Any one change of any place: of a value, a key, an order, an addition, a removal.
    @Test(arguments: 0..<400 as Range<UInt64>)
    func `no change goes unseen`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let old = try Self.signed(Bool.random(using: &random) ? .root : .targets)
        let new = Self.changed(old, &random)
        try #require(new.canonicalBytes != old.canonicalBytes)
        let lines = SignedDifference(from: old, to: new).lines
        let head = SignedDifference(from: old, to: old).lines
        #expect(head.count == 1)
        #expect(lines != head, "\(new.text)")
    }

    private static func changed(_ json: JSON, _ random: inout SeededGenerator) -> JSON {
        switch json {
        case .object(var fields):
            let key = fields.keys.randomElement(using: &random)
            switch (key, Int.random(in: 0..<6, using: &random)) {
            case (nil, _), (_, 0): fields["new \(UInt8.random(in: 0...255, using: &random))"] = 1
            case (let key?, 1): fields[key] = nil
            case (let key?, _): fields[key] = fields[key].map { changed($0, &random) }
            }
            return .object(fields)
        case .array(var elements):
            switch Int.random(in: 0..<4, using: &random) {
            case 0: elements.insert("new", at: Int.random(in: 0...elements.count, using: &random))
            case 1 where !elements.isEmpty:
                elements.remove(at: Int.random(in: 0..<elements.count, using: &random))
            case 2 where elements.count > 1 && elements[0] != elements[1]: elements.swapAt(0, 1)
            default:
                guard let index = elements.indices.randomElement(using: &random) else {
                    return .array(["new"])
                }
                elements[index] = changed(elements[index], &random)
            }
            return .array(elements)
        case .string(let text): return .string(text + "\u{301}")
        case .integer(let number): return .integer(number + 1)
        case .bool(let flag): return .bool(!flag)
        case .null: return 0
        }
    }
}
