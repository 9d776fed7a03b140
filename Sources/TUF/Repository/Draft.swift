package import Cryptography
import Primitives

/// Metadata in the making: what people and programs sign, before anyone trusts it.
///
/// Nothing in a draft is verified. It is for those who make metadata, and who show it to a person
/// before it is signed; whoever acts on metadata takes it from a `TrustedRepository`.
package struct Draft<Content: RoleMetadata>: Sendable {
    package let role: RoleName
    package let content: Content
    /// The canonical form of `signed`: what a signer signs, here or elsewhere.
    package let message: [UInt8]
    package private(set) var signatures: [Signature]
    private let signed: JSON

    /// A draft that nobody has signed.
    package init(_ content: Content, of role: RoleName) {
        self.role = role
        self.content = content
        signed = content.signed
        message = signed.canonicalBytes
        signatures = []
    }

    /// Reads a draft, signed by anyone or no one.
    ///
    /// - Throws: `TUFError.tooLong`, `.notJSON`, `.malformed` or `.repeatedKeyID`.
    package init(
        parsing bytes: [UInt8], as role: RoleName, limits: Limits = .standard
    ) throws(TUFError) {
        let file = try Unverified<Content>(
            parsing: bytes, as: role, limit: limits.bytes(of: role))
        self.role = role
        content = file.content
        message = file.message
        signatures = file.signatures
        signed = file.signed
    }

    /// The file: `{"signatures":[{"keyid":…,"sig":…}…],"signed":{…}}` on one line.
    package var bytes: [UInt8] {
        JSON.object(["signatures": .array(signatures.map(\.json)), "signed": signed]).bytes
    }

    /// What it changes of an older version; of nothing, where there is none.
    package func difference(from old: Draft?) -> SignedDifference {
        SignedDifference(from: old?.signed, to: signed)
    }

    /// Signs with a key under the id that the specification derives, in the place of an older signature.
    package mutating func sign(with key: Ed25519PrivateKey) {
        put(Signature(keyID: key.publicKey.keyID, bytes: key.sign(message)))
    }

    /// Adds a signature that was made elsewhere, by an HSM or another person's machine.
    ///
    /// - Throws: `TUFError.invalidSignature` where it is not this key's signature of `message`.
    package mutating func add(
        _ signature: [UInt8], by key: Ed25519PublicKey
    ) throws(TUFError) {
        guard key.isValid(signature, for: message) else {
            throw .invalidSignature(role, key.keyID)
        }
        put(Signature(keyID: key.keyID, bytes: signature))
    }

    /// Unites the signatures of two drafts of the same content, and drops those that are not valid for
    /// any of the delegators' keys: a false signature under an honest key's id must not keep its place.
    ///
    /// - Parameters:
    ///   - other: a draft of the same content, signed by others.
    ///   - verifiers: of the delegator; for a root, of the root before and of the new one.
    /// - Throws: `TUFError.differentContent` where the drafts sign different bytes.
    package mutating func merge(
        _ other: Draft<Content>, judgedBy verifiers: [Verifiers]
    ) throws(TUFError) {
        guard other.message == message else { throw .differentContent(role) }
        var united: [Signature] = []
        for signature in signatures + other.signatures {
            let isValid = verifiers.contains { !$0.validSigners([signature], of: message).isEmpty }
            let isNew = !united.contains { $0.keyID == signature.keyID }
            if isValid && isNew { united.append(signature) }
        }
        signatures = united
    }

    /// Who has signed and what is missing, by a delegator's keys.
    package func progress(towards verifiers: Verifiers) -> SigningProgress {
        SigningProgress(signatures, of: message, towards: verifiers)
    }

    private mutating func put(_ signature: Signature) {
        signatures.removeAll { $0.keyID == signature.keyID }
        signatures.append(signature)
    }
}

/// How far a draft is from its threshold.
package struct SigningProgress: Sendable, Hashable {
    /// Ids of the keys whose signatures are valid and count, in the order of the file.
    package let signedBy: [KeyID]
    /// Ids of the keys that may sign and have not, in order.
    package let waitingFor: [KeyID]
    /// Ids whose signatures do not count: false, of an unknown key, or of a key already counted.
    package let notCounted: [KeyID]
    package let threshold: Threshold

    init(_ signatures: [Signature], of message: [UInt8], towards verifiers: Verifiers) {
        let valid = verifiers.validSigners(signatures, of: message)
        let counted = Set(valid.compactMap { verifiers.keys[$0]?.publicKey })
        signedBy = valid
        waitingFor = verifiers.keys.filter { !counted.contains($0.value) }.map(\.key).sorted()
        notCounted = signatures.map(\.keyID).filter { !valid.contains($0) }
        threshold = verifiers.threshold
    }

    /// Distinct keys that still have to sign.
    package var missing: Int { max(0, threshold.count - signedBy.count) }
    package var isComplete: Bool { missing == 0 }
}

extension Set<PublicKey> {
    fileprivate func contains(_ key: Key) -> Bool { key.publicKey.map { contains($0) } ?? false }
}
