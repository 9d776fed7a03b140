package import Primitives

/// What a program is asked that signs for us, and what it answers: `docs/formats/signer.md`.
package enum SignerProtocol {
    package static let schema = "fieldfare.signer/1"
    /// Bytes of an answer.
    package static let answerLimit = 4_096

    /// The request: one line of JSON.
    package static func request(_ message: [UInt8], by key: Ed25519PublicKey) -> [UInt8] {
        JSON.object([
            "schema": .string(schema), "keyid": .string(key.keyID.description),
            "public": .string(key.hex), "message": .string(Hex.encode(message)),
        ]).bytes + [0x0A]
    }

    /// The signature in an answer, which is the key's signature of the message.
    package static func signature(
        in answer: [UInt8], of message: [UInt8], by key: Ed25519PublicKey
    ) throws(SignerError) -> [UInt8] {
        let signature: [UInt8]?
        do {
            let json = try JSON(parsing: answer, limit: answerLimit)
            var fields = try Fields(json)
            _ = try fields.parse("schema", "'\(schema)'") { $0 == schema ? $0 : nil }
            signature = try fields.parse("signature", "128 lower-case hexadecimal digits") {
                (text) -> [UInt8]? in Hex.decode(text).flatMap { $0.count == 64 ? $0 : nil }
            }
            try fields.refuseUnknown()
        } catch let error as JSONError {
            throw .notJSON(error)
        } catch let error as FieldError {
            throw .malformed(error)
        } catch {
            preconditionFailure("reading JSON throws nothing else")
        }
        guard let signature, key.isValid(signature, for: message) else {
            throw .notOurSignature(key.keyID)
        }
        return signature
    }
}

/// Why a signing program's answer is of no use.
package enum SignerError: Error, Sendable, Hashable, CustomStringConvertible {
    case notJSON(JSONError)
    case malformed(FieldError)
    /// It is no signature of the message by the key: another key's, or of other bytes.
    case notOurSignature(KeyID)

    package var description: String {
        switch self {
        case .notJSON(let error): "expected one JSON object as answer, got something else: \(error)"
        case .malformed(let error): "answer: \(error)"
        case .notOurSignature(let id):
            "expected the signature of key \(id), got another key's or of other bytes"
        }
    }
}
