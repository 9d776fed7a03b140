import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// Keys of the kinds that our own repositories do not have, by `fixtures/tuf/public-keys.json`.
struct KeyKindTests {
    static let fixture = RepositoryFiles.json("fixtures/tuf/public-keys.json")

    /// A case of the fixture: a key object, and its signature of the message that `ThresholdTests.draft` signs.
    static func named(_ name: String) throws -> (key: JSON, signature: [UInt8]) {
        let all = try #require(fixture?["cases"]?.array)
        let each = try #require(all.first { $0["name"]?.string == name })
        let pem = try #require(each["pem"])
        let signature = try #require(each["signature"]?.string.flatMap { Hex.decode($0) })
        let key: JSON = [
            "keytype": try #require(each["keytype"]), "scheme": try #require(each["scheme"]),
            "keyval": ["public": pem],
        ]
        return (key, signature)
    }

    static func edited(_ key: JSON, _ field: String, _ value: JSON) throws -> JSON {
        var fields = try #require(key.object)
        fields[field] = value
        return .object(fields)
    }

    static let ecdsa = "ecdsa, by securesystemslib"
    static let rsa = "rsa, by securesystemslib"

    @Test func `signs the message of the fixture`() throws {
        let message = try ThresholdTests.draft { _ in [] }.message
        #expect(String(decoding: message, as: UTF8.self) == Self.fixture?["message"]?.string)
    }

    @Test func `counts keys of three kinds towards one threshold`() throws {
        let (ecdsa, rsa) = (try Self.named(Self.ecdsa), try Self.named(Self.rsa))
        let verifiers = try ThresholdTests.verifiers(
            [("a", ThresholdTests.one.publicKey.tufObject), ("b", ecdsa.key), ("c", rsa.key)],
            threshold: 3)
        #expect(verifiers.publicKeys.count == 3)
        let draft = try ThresholdTests.draft {
            [("a", ThresholdTests.one.sign($0)), ("b", ecdsa.signature), ("c", rsa.signature)]
        }
        #expect(draft.progress(towards: verifiers).signedBy.map(\.description) == ["a", "b", "c"])
        let crossed = try ThresholdTests.draft { _ in
            [("b", rsa.signature), ("c", ecdsa.signature)]
        }
        #expect(crossed.progress(towards: verifiers).signedBy == [])
    }

    @Test(arguments: [ecdsa, rsa])
    func `counts one key under two ids once, however it is written`(name: String) throws {
        let (key, signature) = try Self.named(name)
        let pem = try #require(key["keyval"]?["public"]?.string)
        let wrapped = pem.split(separator: "\n").joined(separator: "\r\n") + "\r\n"
        let twin = try Self.edited(key, "keyval", ["public": .string(wrapped)])
        let verifiers = try ThresholdTests.verifiers([("a", key), ("b", twin)], threshold: 2)
        let draft = try ThresholdTests.draft { _ in [("a", signature), ("b", signature)] }
        let progress = draft.progress(towards: verifiers)
        #expect(progress.signedBy.map(\.description) == ["a"])
        #expect(progress.missing == 1)
        #expect(verifiers.publicKeys.count == 1)
    }

    @Test func `counts an ECDSA key once under its two key types`() throws {
        let (key, signature) = try Self.named(Self.ecdsa)
        let older = try Self.edited(key, "keytype", "ecdsa-sha2-nistp256")
        let verifiers = try ThresholdTests.verifiers([("a", key), ("b", older)], threshold: 1)
        for id in ["a", "b"] {
            let draft = try ThresholdTests.draft { _ in [(id, signature)] }
            #expect(draft.progress(towards: verifiers).isComplete)
        }
        let both = try ThresholdTests.draft { _ in [("a", signature), ("b", signature)] }
        #expect(both.progress(towards: verifiers).signedBy.count == 1)
    }

    @Test(arguments: [
        ("rsa, 2047 bits", "scheme", "rsassa-pss-sha256"), (rsa, "scheme", "rsa-pkcs1v15-sha256"),
        (rsa, "scheme", "ecdsa-sha2-nistp256"), (rsa, "keytype", "ecdsa"),
        (ecdsa, "scheme", "ecdsa-sha2-nistp384"), (ecdsa, "keytype", "ecdsa-sha2-nistp384"),
        (ecdsa, "scheme", "ed25519"),
    ])
    func `never counts a short key, nor one of another kind or scheme`(
        name: String, field: String, value: String
    ) throws {
        let (key, signature) = try Self.named(name)
        let other = try Self.edited(key, field, .string(value))
        let verifiers = try ThresholdTests.verifiers([("a", other)], threshold: 1)
        #expect(verifiers.publicKeys == [])
        let draft = try ThresholdTests.draft { _ in [("a", signature)] }
        #expect(draft.progress(towards: verifiers).signedBy == [])
    }

    @Test func `refuses a key whose text is longer than any key's`() throws {
        let (key, _) = try Self.named(Self.rsa)
        let long = JSON.string(String(repeating: "A", count: 8_193))
        let other = try Self.edited(key, "keyval", ["public": long])
        let error = FieldError(
            path: "signed.keys.a.keyval.public", expected: "at most 8192 bytes", found: "8193")
        #expect(throws: TUFError.malformed(.root, error)) {
            try ThresholdTests.verifiers([("a", other)], threshold: 1)
        }
    }

    @Test func `names a set of keys of all kinds by what they are`() throws {
        let ecdsa = ("b", try Self.named(Self.ecdsa).key)
        let ed25519 = ("a", ThresholdTests.one.publicKey.tufObject)
        let sets = [[ed25519], [ed25519, ecdsa], [ecdsa]]
        let names = try sets.map { try ThresholdTests.verifiers($0, threshold: 1).fingerprint }
        #expect(Set(names).count == 3)
        #expect(names[0] == SHA256.digest(of: ThresholdTests.one.publicKey.bytes))
    }
}
