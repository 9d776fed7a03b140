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
            let before: Root? = if case .root(let old) = old { old.content } else { nil }
            return Self.lines(RootDifference(from: before, to: draft.content))
        case .targets(let draft):
            let before: Targets? = if case .targets(let old) = old { old.content } else { nil }
            return Self.lines(TargetsDifference(from: before, to: draft.content))
        }
    }

    private static func lines(_ difference: RootDifference) -> [String] {
        var lines = [head(difference.oldVersion, difference.newVersion, difference.newExpires)]
        for change in difference.roles {
            let new = change.new.map { "\($0.threshold) of \($0.keyIDs.count) keys" } ?? "gone"
            lines.append("\(mark(change)) role \(change.name): \(new)")
        }
        for change in difference.keys { lines.append("\(mark(change)) key \(change.name)") }
        return lines
    }

    private static func lines(_ difference: TargetsDifference) -> [String] {
        var lines = [head(difference.oldVersion, difference.newVersion, difference.newExpires)]
        for change in difference.targets {
            let new = change.new.map {
                "\($0.length) bytes, sha256 \($0.hashes.sha256.map(\.hex) ?? "none")"
            }
            lines.append("\(mark(change)) target \(change.name): \(new ?? "gone")")
        }
        for change in difference.roles {
            let new = change.new.map { "\($0.keys.threshold) of \($0.keys.keyIDs.count) keys" }
            lines.append("\(mark(change)) role \(change.name): \(new ?? "gone")")
        }
        for change in difference.keys { lines.append("\(mark(change)) key \(change.name)") }
        return lines
    }

    private static func head(
        _ old: MetadataVersion?, _ new: MetadataVersion, _ expires: UTCTime
    ) -> String {
        "version \(old.map { "\($0)" } ?? "none") -> \(new), expires \(expires)"
    }

    private static func mark<Name, Value>(_ change: Change<Name, Value>) -> String {
        change.isAddition ? "+" : change.isRemoval ? "-" : "~"
    }
}
