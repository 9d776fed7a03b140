import Cryptography
import Primitives
import TestSupport
import Testing

/// ECDSA and RSA keys, by `fixtures/tuf/public-keys.json`.
struct PublicKeyTests {
    struct Case: Sendable {
        let name: String
        let keyType: String
        let pem: String
        let signature: [UInt8]
        let expect: String

        var key: PublicKey? { PublicKeyTests.key(keyType, pem) }
    }

    static func key(_ keyType: String, _ pem: String) -> PublicKey? {
        keyType == "rsa"
            ? RSAPublicKey(pem: pem).map { .rsa($0) } : P256PublicKey(pem: pem).map { .p256($0) }
    }

    static let fixture = RepositoryFiles.json("fixtures/tuf/public-keys.json")
    static let message = Array((fixture?["message"]?.string ?? "").utf8)
    static let cases = (fixture?["cases"]?.array ?? []).compactMap { json -> Case? in
        guard let name = json["name"]?.string, let keyType = json["keytype"]?.string,
            let pem = json["pem"]?.string, let expect = json["expect"]?.string,
            let signature = json["signature"]?.string.flatMap({ Hex.decode($0) })
        else { return nil }
        return Case(
            name: name, keyType: keyType, pem: pem, signature: signature, expect: expect)
    }

    static func named(_ name: String) throws -> Case {
        try #require(cases.first { $0.name == name })
    }

    @Test func `judges each key and signature as the fixture says`() throws {
        #expect(Self.cases.count == 28)
        for each in Self.cases {
            switch each.expect {
            case "refused": #expect(each.key == nil, "\(each.name)")
            case "valid", "invalid":
                let key = try #require(each.key, "\(each.name)")
                let isValid = key.isValid(each.signature, for: Self.message)
                #expect(isValid == (each.expect == "valid"), "\(each.name)")
            default: Issue.record("\(each.name): \(each.expect)")
            }
        }
    }

    @Test(arguments: ["ecdsa, by securesystemslib", "rsa, by securesystemslib"])
    func `refuses a signature with any one bit changed`(name: String) throws {
        let each = try Self.named(name)
        let key = try #require(each.key)
        for index in stride(from: 0, to: each.signature.count * 8, by: 37) {
            var signature = each.signature
            signature[index / 8] ^= 1 << (index % 8)
            #expect(!key.isValid(signature, for: Self.message), "bit \(index)")
        }
        #expect(!key.isValid(each.signature, for: Self.message + [0]))
    }

    @Test(arguments: ["ecdsa, by securesystemslib", "rsa, by securesystemslib"])
    func `takes the same key for the same, however its lines are cut`(name: String) throws {
        let each = try Self.named(name)
        let lines = each.pem.split(separator: "\n")
        let body = lines.dropFirst().dropLast().joined()
        let spellings = [
            lines.joined(separator: "\n"), each.pem + "\n\n",
            lines.joined(separator: " \t\r\n") + "\r\n",
            "\(lines[0])\n\(body)\n\(lines[lines.count - 1])",
            "\(lines[0])\n\(body.prefix(7))\n\(body.dropFirst(7))\n\(lines[lines.count - 1])",
        ]
        for pem in spellings { #expect(Self.key(each.keyType, pem) == each.key) }
    }

    @Test func `takes two spellings of an RSA key's algorithm for the same key`() throws {
        let one = try Self.named("rsa, by securesystemslib")
        let other = try Self.named("rsa, no parameters: another spelling")
        #expect(one.pem != other.pem)
        #expect(one.key != nil)
        #expect(one.key == other.key)
    }

    @Test(arguments: [
        "", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAA A=\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA===\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA=AA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA_-A\n-----END PUBLIC KEY-----",
    ])
    func `takes no other text for a key`(pem: String) {
        #expect(P256PublicKey(pem: pem) == nil)
        #expect(RSAPublicKey(pem: pem) == nil)
    }

    @Test func `is named by bytes that differ for each kind`() throws {
        let ed25519 = TestKeys.key("one").publicKey
        let names = ["ecdsa, by securesystemslib", "rsa, by securesystemslib"]
        let keys = try names.map { try #require(try Self.named($0).key) } + [.ed25519(ed25519)]
        #expect(keys.map(\.bytes.count) == [91, 294, 32])
        #expect(Set(keys.map(\.bytes)).count == 3)
        #expect(PublicKey.ed25519(ed25519).isValid(TestKeys.key("one").sign([1]), for: [1]))
    }
}
