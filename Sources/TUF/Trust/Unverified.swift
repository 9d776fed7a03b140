import Cryptography
import Primitives

/// A metadata file that has been read, and not been verified.
///
/// Its content cannot be reached from outside of this target. Only `Verifier` turns it into something
/// trusted.
package struct Unverified<Content: RoleMetadata>: Sendable {
    package let role: RoleName
    /// The bytes as they came, which are what is stored.
    package let bytes: [UInt8]
    let signatures: [Signature]
    /// The canonical form of `signed`, which the signatures cover (TUF 1.0.34 section 4.2).
    let message: [UInt8]
    let signed: JSON
    let content: Content

    /// Reads a file of at most `limit` bytes.
    ///
    /// - Throws: `TUFError.tooLong`, `.notJSON`, `.malformed` or `.repeatedKeyID`.
    package init(parsing bytes: [UInt8], as role: RoleName, limit: Int) throws(TUFError) {
        guard bytes.count <= limit else {
            throw .tooLong(role, limit: limit, found: bytes.count)
        }
        let limits = JSONLimits(bytes: limit, depth: Limits.depth, values: Limits.values)
        let json: JSON
        do { json = try JSON(parsing: bytes, limits: limits) } catch { throw .notJSON(role, error) }
        do {
            var fields = try Fields(json)
            signed = try fields.value("signed", "the signed part")
            content = try Content(reading: signed, at: "signed")
            signatures = try Self.signatures(in: &fields)
        } catch {
            throw .malformed(role, error)
        }
        try Self.refuseRepeated(signatures, role)
        self.role = role
        self.bytes = bytes
        message = signed.canonicalBytes
    }

    private static func signatures(in fields: inout Fields) throws(FieldError) -> [Signature] {
        var signatures: [Signature] = []
        for (json, path) in try fields.array("signatures", limit: Limits.signatures) {
            signatures.append(try Signature(reading: json, at: path))
        }
        return signatures
    }

    private static func refuseRepeated(
        _ signatures: [Signature], _ role: RoleName
    ) throws(TUFError) {
        var seen: Set<KeyID> = []
        for signature in signatures {
            guard seen.insert(signature.keyID).inserted else {
                throw .repeatedKeyID(role, signature.keyID)
            }
        }
    }
}

extension Verifiers {
    /// The ids of the keys whose signatures of `message` are valid; at most one id for each public key.
    ///
    /// The one place where signatures are counted, for all roles. A key that stands under two ids
    /// counts once, a key of an unknown kind never, and an invalid signature does no harm.
    func validSigners(_ signatures: [Signature], of message: [UInt8]) -> [KeyID] {
        var counted: Set<PublicKey> = []
        return signatures.compactMap { signature in
            guard let key = keys[signature.keyID]?.publicKey, !counted.contains(key),
                key.isValid(signature.bytes, for: message)
            else { return nil }
            counted.insert(key)
            return signature.keyID
        }
    }
}
