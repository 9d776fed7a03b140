import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct DraftTests {
    static let keys = TestKeys.keys("signer", count: 3)
    static let delegation = DelegatedRole(
        name: .releases,
        keys: RoleKeys(keyIDs: keys.map(\.publicKey.keyID), threshold: .two),
        paths: .patterns([]), isTerminating: true)

    static func verifiers() throws -> Verifiers {
        var delegations = Delegations()
        delegations.set(delegation, keys: keys.map(\.publicKey))
        return try #require(delegations.verifiers(of: .releases))
    }

    static let content = Targets(expires: UTCTime(clamping: 1_900_000_000))

    @Test func `says who has signed and what is missing`() throws {
        var draft = Draft(Self.content, of: .releases)
        let verifiers = try Self.verifiers()
        #expect(draft.progress(towards: verifiers).missing == 2)
        draft.sign(with: Self.keys[1])
        draft.sign(with: TestKeys.key("stranger"))
        let progress = draft.progress(towards: verifiers)
        #expect(progress.signedBy == [Self.keys[1].publicKey.keyID])
        #expect(
            progress.waitingFor
                == [Self.keys[0], Self.keys[2]].map(\.publicKey.keyID).sorted())
        #expect(progress.notCounted == [TestKeys.key("stranger").publicKey.keyID])
        #expect(progress.missing == 1)
        #expect(!progress.isComplete)
        draft.sign(with: Self.keys[2])
        #expect(draft.progress(towards: verifiers).isComplete)
    }

    @Test func `signs once a key, in the place of an older signature`() throws {
        var draft = Draft(Self.content, of: .releases)
        draft.sign(with: Self.keys[0])
        let once = draft.signatures
        draft.sign(with: Self.keys[0])
        #expect(draft.signatures == once)
    }

    @Test func `reads back what it wrote`() throws {
        var draft = Draft(Self.content, of: .releases)
        draft.sign(with: Self.keys[0])
        let read = try Draft<Targets>(parsing: draft.bytes, as: .releases)
        #expect(read.content == draft.content)
        #expect(read.message == draft.message)
        #expect(read.signatures == draft.signatures)
        #expect(read.bytes == draft.bytes)
    }

    @Test func `takes a signature made elsewhere, and no false one`() throws {
        var draft = Draft(Self.content, of: .releases)
        let key = Self.keys[0]
        let error = TUFError.invalidSignature(.releases, key.publicKey.keyID)
        #expect(throws: error) { try draft.add(key.sign([0]), by: key.publicKey) }
        #expect(throws: error) { try draft.add([], by: key.publicKey) }
        #expect(draft.signatures.isEmpty)
        try draft.add(key.sign(draft.message), by: key.publicKey)
        #expect(try draft.progress(towards: Self.verifiers()).missing == 1)
    }

    @Test func `unites the signatures of two people`() throws {
        let verifiers = try Self.verifiers()
        var one = Draft(Self.content, of: .releases)
        var other = one
        one.sign(with: Self.keys[0])
        other.sign(with: Self.keys[1])
        try one.merge(other, judgedBy: [verifiers])
        #expect(one.progress(towards: verifiers).isComplete)
        #expect(one.signatures.count == 2)
    }

    @Test func `drops a false signature that keeps an honest key's place`() throws {
        let verifiers = try Self.verifiers()
        var honest = Draft(Self.content, of: .releases)
        honest.sign(with: Self.keys[0])
        let id = Self.keys[0].publicKey.keyID
        let forged = try edited(honest.bytes) {
            $0["signatures"] = [["keyid": .string(id.description), "sig": "00"]]
        }
        var draft = try Draft<Targets>(parsing: forged, as: .releases)
        try draft.merge(honest, judgedBy: [verifiers])
        #expect(draft.signatures == honest.signatures)
        var stranger = Draft(Self.content, of: .releases)
        stranger.sign(with: TestKeys.key("stranger"))
        try draft.merge(stranger, judgedBy: [verifiers])
        #expect(draft.signatures == honest.signatures)
    }

    @Test func `does not unite signatures of different content`() throws {
        let verifiers = try Self.verifiers()
        var one = Draft(Self.content, of: .releases)
        var other = Draft(Self.content.next(expires: Self.content.expires), of: .releases)
        other.sign(with: Self.keys[0])
        #expect(throws: TUFError.differentContent(.releases)) {
            try one.merge(other, judgedBy: [verifiers])
        }
        #expect(one.signatures.isEmpty)
    }

    @Test func `does not take a signature over the wire form for one over the canonical form`()
        throws
    {
        let content = Timestamp(
            expires: UTCTime(clamping: 1_900_000_000), signedAt: nil,
            snapshot: MetaFile(version: .first))
        let draft = Draft(content, of: .timestamp)
        #expect(draft.message == content.signed.canonicalBytes)
        #expect(draft.bytes != draft.message)
    }
}
