import Cryptography
import Primitives
import TestSupport
import Testing

struct SignerProtocolTests {
    static let key = TestKeys.key("signer")
    static let message = Array("signed".utf8)

    static func answer(_ fields: JSONObject) -> [UInt8] {
        JSON.object((["schema": "fieldfare.signer/1"] as JSONObject).merging(fields) { $1 }).bytes
    }

    private func signature(in answer: [UInt8]) throws(SignerError) -> [UInt8] {
        try SignerProtocol.signature(in: answer, of: Self.message, by: Self.key.publicKey)
    }

    @Test func `asks on one line, with the bytes to sign in hexadecimal`() throws {
        let request = SignerProtocol.request(Self.message, by: Self.key.publicKey)
        #expect(request.last == 0x0A && request.count { $0 == 0x0A } == 1)
        let json = try JSON(parsing: Array(request.dropLast()), limit: 4_096)
        #expect(
            json.object == [
                "schema": "fieldfare.signer/1", "message": "7369676e6564",
                "keyid": .string(Self.key.publicKey.keyID.description),
                "public": .string(Self.key.publicKey.hex),
            ])
    }

    @Test func `takes the key's signature, and no other`() throws {
        let good = Self.key.sign(Self.message)
        #expect(try signature(in: Self.answer(["signature": .string(Hex.encode(good))])) == good)
        let wrong = SignerError.notOurSignature(Self.key.publicKey.keyID)
        for other in [TestKeys.key("thief").sign(Self.message), Self.key.sign([1])] {
            #expect(throws: wrong) {
                try signature(in: Self.answer(["signature": .string(Hex.encode(other))]))
            }
        }
    }

    @Test func `refuses answers that are not as the page says`() throws {
        let good = JSON.string(Hex.encode(Self.key.sign(Self.message)))
        let bad: [[UInt8]] = [
            [], Array("yes".utf8), Self.answer([:]), Self.answer(["signature": "00"]),
            Self.answer(["signature": good, "more": 1]),
            Self.answer(["signature": good, "schema": "fieldfare.signer/2"]),
        ]
        for answer in bad {
            let error = #expect(throws: SignerError.self) { try signature(in: answer) }
            #expect(error?.description.contains("expected") == true)
        }
    }
}
