import Cryptography
import Primitives

extension TUFError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notJSON(let role, let error): "cannot read \(role): \(error)"
        case .malformed(let role, let error): "cannot read \(role): \(error)"
        case .repeatedKeyID(let role, let id):
            "cannot accept \(role): expected each key id to sign once, got two signatures of '\(id)'"
        case .tooFewSignatures(let role, let delegator, let threshold, let valid):
            "cannot accept \(role): expected valid signatures of \(threshold) keys of \(delegator), got \(valid)"
        case .rollback(let role, let held, let offered):
            "cannot accept \(role): version \(offered) is older than version \(held), already held"
        case .wrongVersion(let role, let expected, let found):
            "cannot accept \(role): expected version \(expected), got \(found)"
        case .tooLong(let role, let limit, let found):
            "cannot accept \(role): expected at most \(limit) bytes, got \(found)"
        case .wrongLength(let role, let expected, let found):
            "cannot accept \(role): expected \(expected) bytes, got \(found)"
        case .wrongDigest(let role, let expected, let found):
            "cannot accept \(role): expected \(Self.difference(expected, found))"
        case .expired(let role, let moment, let start):
            "cannot accept \(role): expected metadata that is good at \(start), got one that expired at \(moment)"
        case .roleDropped(let role, let version):
            "cannot accept snapshot: expected role \(role), listed before, got version \(version) without it"
        case .roleNotListed(let role):
            "cannot accept \(role): expected a role that snapshot lists, got none of that name"
        case .absent(let role, let name):
            "cannot get \(role): expected file \(name), got nothing of that name"
        case .otherRole(let role, let found):
            "cannot accept \(role): expected metadata of that role, got that of \(found)"
        case .noTrustedRoot: "cannot refresh: expected a trusted root in the store, got none"
        case .differentContent(let role):
            "cannot unite signatures of \(role): expected the same signed bytes, got others"
        case .invalidSignature(let role, let id):
            "cannot add signature to \(role): expected a valid one of key '\(id)', got another"
        case .noSHA256(let role, let path):
            "cannot accept target '\(path)' of \(role): expected a SHA-256 digest, got none"
        case .wrongTargetLength(let role, let path, let expected, let found):
            "cannot accept target '\(path)' of \(role): expected \(expected) bytes, got \(found)"
        case .wrongTargetDigest(let role, let path, let expected, let found):
            "cannot accept target '\(path)' of \(role): expected \(Self.difference(expected, found))"
        case .roleNotLoaded(let role):
            "cannot search for a target: expected \(role) to be loaded, got nothing yet"
        }
    }

    /// What was expected and found, by the digest that differs.
    private static func difference(_ expected: FileHashes, _ found: SHA256Digest) -> String {
        if let sha256 = expected.sha256, sha256 != found {
            return "SHA-256 \(sha256), got \(found)"
        }
        return "SHA-512 \(Hex.encode(expected.sha512 ?? [])), got another"
    }

    /// What a person can do about it.
    package var hint: String {
        switch self {
        case .notJSON, .malformed, .repeatedKeyID, .tooLong:
            "who signs it must publish it anew; if the registry has another file, it was changed on the way"
        case .tooFewSignatures: "let more of the role's keys sign, or check who may sign it"
        case .rollback:
            "publish a higher version; after a key was stolen, rotate the timestamp and snapshot keys"
        case .wrongVersion, .wrongLength, .wrongDigest, .wrongTargetLength, .wrongTargetDigest:
            "a cache or mirror may be stale or broken: try again, or from another place"
        case .otherRole: "a mirror has put one file in another's place: try another one"
        case .expired: "sign and publish a new version, or set the clock if it is wrong"
        case .roleDropped: "list the role in the next snapshot, or rotate the snapshot key"
        case .roleNotListed: "the role was delegated to, and nothing of it published yet: publish"
        case .absent: "publish the file, or check the repository's address"
        case .noTrustedRoot: "install the root file that came with the repository"
        case .differentContent: "get the newest draft, and sign that"
        case .invalidSignature: "sign with the key whose id it is"
        case .noSHA256: "publish the target with its SHA-256 digest"
        case .roleNotLoaded: "load the role first"
        }
    }
}
