import Console
import Cryptography
import Primitives
import TUF

/// Metadata that is being signed: of any role that people sign, in a file or as a registry's proposal.
enum StagedRole {
    case root(Draft<Root>)
    case targets(Draft<Targets>)

    init(_ bytes: [UInt8], as role: RoleName) throws(Failure) {
        do {
            self =
                role == .root
                ? .root(try Draft<Root>(parsing: bytes, as: role))
                : .targets(try Draft<Targets>(parsing: bytes, as: role))
        } catch {
            throw Failure(.refused, "metadata of '\(role)': \(error)")
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .root(let draft): draft.bytes
        case .targets(let draft): draft.bytes
        }
    }

    var version: MetadataVersion {
        switch self {
        case .root(let draft): draft.content.version
        case .targets(let draft): draft.content.version
        }
    }

    var expires: UTCTime {
        switch self {
        case .root(let draft): draft.content.expires
        case .targets(let draft): draft.content.expires
        }
    }

    /// The canonical bytes that a signature covers.
    var message: [UInt8] {
        switch self {
        case .root(let draft): draft.message
        case .targets(let draft): draft.message
        }
    }

    /// Adds a signature.
    ///
    /// - Parameters:
    ///   - signer: what makes it.
    ///   - signers: where it is known who may sign, others are refused: their signature would count nothing.
    /// - Throws: `Failure` `refused` for a key that may not sign, and what the signer throws.
    mutating func sign(
        with signer: Signer, for signers: [Verifiers] = []
    ) throws(Failure) {
        let key = signer.publicKey
        guard signers.isEmpty || signers.contains(where: { $0.publicKeys.contains(.ed25519(key)) })
        else {
            throw Failure(
                .refused, "key \(key.keyID): expected one that may sign this role, got another")
        }
        let signature = try signer.sign(message)
        do throws(TUFError) {
            switch self {
            case .root(var draft):
                try draft.add(signature, by: key)
                self = .root(draft)
            case .targets(var draft):
                try draft.add(signature, by: key)
                self = .targets(draft)
            }
        } catch {
            throw Failure(.refused, "\(error)")
        }
    }

    /// Adds the valid signatures that another copy of the same bears.
    ///
    /// - Throws: `Failure` `busy` where the other says something else.
    mutating func unite(with other: StagedRole, judgedBy signers: [Verifiers]) throws(Failure) {
        do throws(TUFError) {
            switch (self, other) {
            case (.root(var draft), .root(let other)):
                try draft.merge(other, judgedBy: signers)
                self = .root(draft)
            case (.targets(var draft), .targets(let other)):
                try draft.merge(other, judgedBy: signers)
                self = .targets(draft)
            default: preconditionFailure("two copies of one role")
            }
        } catch {
            throw Failure(.busy, "\(error)", hint: "somebody has changed it meanwhile: sign again")
        }
    }

    func progress(towards verifiers: Verifiers) -> SigningProgress {
        switch self {
        case .root(let draft): draft.progress(towards: verifiers)
        case .targets(let draft): draft.progress(towards: verifiers)
        }
    }

    /// What would be signed, line by line, against what is live.
    func difference(from live: [UInt8]?, as role: RoleName) throws(Failure) -> [String] {
        let old = try live.map { (bytes) throws(Failure) in try StagedRole(bytes, as: role) }
        switch self {
        case .root(let draft):
            let before: Draft<Root>? = if case .root(let old) = old { old } else { nil }
            return draft.difference(from: before).lines
        case .targets(let draft):
            let before: Draft<Targets>? = if case .targets(let old) = old { old } else { nil }
            return draft.difference(from: before).lines
        }
    }
}
