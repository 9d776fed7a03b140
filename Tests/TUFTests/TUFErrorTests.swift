import Cryptography
import Primitives
import TUF
import Testing

struct TUFErrorTests {
    static let digest = SHA256.digest(of: [])
    static let now = UTCTime(clamping: 1_795_237_567)

    /// The text of every case.
    @Test func `says thing, expected and found`() throws {
        let id = try #require(KeyID("k"))
        let path = try #require(TargetPath("a/b"))
        let other = FileHashes(of: [1])
        let cases: [(TUFError, String)] = [
            (
                .notJSON(.root, .unexpectedEnd(offset: 2)),
                "cannot read root: JSON at byte 2: expected more, got the end of the text"
            ),
            (
                .malformed(.root, FieldError(path: "x", expected: "y", found: "z")),
                "cannot read root: field 'x': expected y, got z"
            ),
            (
                .repeatedKeyID(.root, id),
                "cannot accept root: expected each key id to sign once, got two signatures of 'k'"
            ),
            (
                .tooFewSignatures(.releases, delegator: .targets, threshold: 2, valid: 1),
                "cannot accept model.commands-en: expected valid signatures of 2 keys of targets, got 1"
            ),
            (
                .rollback(.timestamp, held: version(5), offered: version(4)),
                "cannot accept timestamp: version 4 is older than version 5, already held"
            ),
            (
                .wrongVersion(.snapshot, expected: version(5), found: version(6)),
                "cannot accept snapshot: expected version 5, got 6"
            ),
            (
                .tooLong(.root, limit: 5, found: 6),
                "cannot accept root: expected at most 5 bytes, got 6"
            ),
            (
                .wrongLength(.root, expected: 5, found: 6),
                "cannot accept root: expected 5 bytes, got 6"
            ),
            (
                .wrongDigest(.root, expected: other, found: Self.digest),
                "cannot accept root: expected SHA-256 \(SHA256.digest(of: [1])), got \(Self.digest)"
            ),
            (
                .expired(.targets, at: Self.now, start: Self.now + 1),
                "cannot accept targets: expected metadata that is good at 2026-11-21T05:06:08Z, got one that expired at 2026-11-21T05:06:07Z"
            ),
            (
                .roleDropped(.plans, by: version(9)),
                "cannot accept snapshot: expected role plans.commands-en, listed before, got version 9 without it"
            ),
            (
                .roleNotListed(.plans),
                "cannot accept plans.commands-en: expected a role that snapshot lists, got none of that name"
            ),
            (
                .absent(.plans, MetadataFileName(.plans, version: version(3))),
                "cannot get plans.commands-en: expected file 3.plans.commands-en.json, got nothing of that name"
            ),
            (
                .otherRole(.plans, found: .releases),
                "cannot accept plans.commands-en: expected metadata of that role, got that of model.commands-en"
            ),
            (
                .noTrustedRoot,
                "cannot refresh: expected a trusted root in the store, got none"
            ),
            (
                .differentContent(.root),
                "cannot unite signatures of root: expected the same signed bytes, got others"
            ),
            (
                .invalidSignature(.root, id),
                "cannot add signature to root: expected a valid one of key 'k', got another"
            ),
            (
                .noSHA256(.releases, path),
                "cannot accept target 'a/b' of model.commands-en: expected a SHA-256 digest, got none"
            ),
            (
                .wrongTargetLength(.releases, path, expected: 5, found: 6),
                "cannot accept target 'a/b' of model.commands-en: expected 5 bytes, got 6"
            ),
            (
                .wrongTargetDigest(.releases, path, expected: other, found: Self.digest),
                "cannot accept target 'a/b' of model.commands-en: expected SHA-256 \(SHA256.digest(of: [1])), got \(Self.digest)"
            ),
            (
                .roleNotLoaded(.plans),
                "cannot search for a target: expected plans.commands-en to be loaded, got nothing yet"
            ),
        ]
        for (error, text) in cases { #expect(error.description == text) }
    }

    @Test func `hints at what to do, each in its own words`() throws {
        let id = try #require(KeyID("k"))
        #expect(
            TUFError.noTrustedRoot.hint == "install the root file that came with the repository")
        #expect(TUFError.repeatedKeyID(.root, id).hint.hasPrefix("who signs it must publish"))
        #expect(
            TUFError.wrongVersion(.targets, expected: .first, found: version(2)).hint
                == "a cache or mirror may be stale or broken: try again, or from another place")
        #expect(TUFError.roleNotListed(.plans).hint.contains("nothing of it published yet"))
    }
}
