import Cryptography
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

/// "Rules for POST /v1/roles/{role}" of `docs/protocol.md`, one by one.
struct RolesTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)
    private var model: ModelName { registry.model }
    private var role: RoleName { .model(registry.model) }

    private func version(_ text: String) throws -> SemanticVersion {
        try #require(SemanticVersion(text))
    }

    private func manifestPath(_ text: String) throws -> TargetPath {
        .manifest(of: model, try version(text))
    }

    private func founded() throws {
        try registry.found(at: now)
    }

    /// Metadata with some bundles, all uploaded.
    private func targets(_ versions: String...) throws -> Targets {
        var targets = Targets(expires: now + 60 * TestRegistry.day)
        for text in versions {
            let bundle = try SampleBundle(model, try version(text))
            try registry.upload(bundle)
            targets.targets[try manifestPath(text)] = TargetDescription(of: bundle.manifest.bytes)
        }
        return targets
    }

    private func post(
        _ targets: Targets, by keys: [Ed25519PrivateKey], as actor: Principal? = nil
    ) throws -> RolePosting {
        let bytes = TestRegistry.signed(targets, of: role, by: keys)
        return try registry.roles.post(bytes, as: role, by: actor ?? registry.admin, at: now)
    }

    private func principal(_ scopes: Scope...) -> Principal {
        Principal(id: .registry, name: "test", scopes: scopes)
    }

    private let first = TestRegistry.releaseKeys[0]
    private let second = TestRegistry.releaseKeys[1]

    // MARK: Held and live

    @Test func `one of two signatures is held, the second makes it live for clients`() throws {
        try founded()
        let targets = try targets("1.0.0")
        guard case .held(let held) = try post(targets, by: [first]) else {
            Issue.record("expected held")
            return
        }
        #expect(held.proposal?.missing == 1)
        #expect(held.proposal?.signedBy == [first.publicKey.keyID])
        #expect(held.live == nil)
        #expect(throws: (any Error).self) { try registry.clientView(of: role, at: now) }
        guard case .live(let live) = try post(targets, by: [second]) else {
            Issue.record("expected live")
            return
        }
        #expect(live.live?.version == .first)
        #expect(live.proposal == nil)
        let seen = try registry.clientView(of: role, at: now)
        #expect(seen.content.targets == targets.targets)
        #expect(
            try registry.events() == ["role.live", "role.live", "role.held", "role.live"])
    }

    @Test func `the bytes that a client gets have both signatures`() throws {
        try founded()
        let targets = try targets("1.0.0")
        _ = try post(targets, by: [first])
        _ = try post(targets, by: [second])
        let draft = try Draft<Targets>(
            parsing: try registry.clientView(of: role, at: now).bytes, as: role)
        #expect(
            Set(draft.signatures.map(\.keyID)) == [first.publicKey.keyID, second.publicKey.keyID])
    }

    @Test func `the same signature again changes nothing`() throws {
        try founded()
        let targets = try targets("1.0.0")
        let once = try post(targets, by: [first])
        #expect(try post(targets, by: [first]) == once)
        #expect(try registry.events().filter { $0 == "role.held" }.count == 1)
    }

    @Test func `live metadata posted again is answered as live`() throws {
        try founded()
        let targets = try targets("1.0.0")
        let bytes = TestRegistry.signed(targets, of: role, by: [first, second])
        let posted = try registry.roles.post(bytes, as: role, by: registry.admin, at: now)
        #expect(try registry.roles.post(bytes, as: role, by: registry.admin, at: now) == posted)
        #expect(try registry.events().count == 3)
    }

    @Test func `a forged signature is not counted, and does not keep the true one out`() throws {
        try founded()
        var content = try targets("1.0.0")
        content.role = role
        var draft = Draft(content, of: role)
        draft.sign(with: first)
        let forged = JSON.object([
            "keyid": .string(second.publicKey.keyID.description),
            "sig": .string(String(repeating: "00", count: 64)),
        ])
        let json = try JSON(parsing: draft.bytes, limit: 1 << 20)
        let signed = try #require(json["signed"])
        let all = try #require(json["signatures"]?.array) + [forged]
        let bytes = JSON.object(["signatures": .array(all), "signed": signed]).canonicalBytes
        let posting = try registry.roles.post(bytes, as: role, by: registry.admin, at: now)
        #expect(posting.standing.proposal?.missing == 1)
        guard case .live = try post(draft.content, by: [second]) else {
            Issue.record("expected live")
            return
        }
    }

    @Test func `a stranger's signature is none`() throws {
        try founded()
        #expect(throws: RegistryError.noValidSignature(role)) {
            try post(try targets("1.0.0"), by: [TestKeys.key("stranger")])
        }
        #expect(try registry.roles.standing(of: role, by: registry.admin).proposal == nil)
    }

    // MARK: Versions

    @Test(arguments: [1, 3, 9] as [Int64])
    func `a version that does not follow the live one is a conflict`(number: Int64) throws {
        try founded()
        var targets = try targets("1.0.0")
        _ = try post(targets, by: [first, second])
        targets.expires = targets.expires + 1
        targets.version = try #require(MetadataVersion(number))
        let error = RegistryError.versionConflict(role, live: .first, offered: targets.version)
        #expect(throws: error) { try post(targets, by: [first, second]) }
        #expect(error.code == .versionConflict)
    }

    @Test func `expired metadata is refused`() throws {
        try founded()
        var targets = try targets("1.0.0")
        targets.expires = now
        #expect(throws: RegistryError.untrusted(.expired(role, at: now, start: now))) {
            try post(targets, by: [first, second])
        }
    }

    @Test func `a version that was live never comes back with other bytes`() throws {
        try founded()
        var targets = try targets("1.0.0", "1.1.0")
        _ = try post(targets, by: [first, second])
        let path = try manifestPath("1.0.0")
        let original = try #require(targets.targets[path])
        // Taken out, which is allowed, and put back as something else.
        targets = targets.next(expires: targets.expires)
        targets.targets[path] = nil
        _ = try post(targets, by: [first, second])
        let forged = try SampleBundle(
            model, try version("1.0.0"), rollbackFloor: try version("0.9.0"))
        try registry.upload(forged)
        targets = targets.next(expires: targets.expires)
        targets.targets[path] = TargetDescription(of: forged.manifest.bytes)
        #expect(
            throws: RegistryError.otherBytes(
                path, live: try #require(original.hashes.sha256),
                offered: forged.reference.sha256)
        ) {
            try post(targets, by: [first, second])
        }
        targets.targets[path] = original
        guard case .live = try post(targets, by: [first, second]) else {
            Issue.record("expected live")
            return
        }
    }

    // MARK: Proposals

    @Test func `a later proposal extends the open one, and begins to be signed anew`() throws {
        try founded()
        _ = try post(try targets("1.0.0"), by: [first])
        let wider = try targets("1.0.0", "1.1.0")
        let posting = try post(wider, by: [second])
        #expect(posting.standing.proposal?.signedBy == [second.publicKey.keyID])
        guard case .live = try post(wider, by: [first]) else {
            Issue.record("expected live")
            return
        }
        #expect(try registry.clientView(of: role, at: now).content.targets.count == 2)
    }

    @Test func `a proposal that lacks what the open one has is a conflict`() throws {
        try founded()
        _ = try post(try targets("1.0.0"), by: [first])
        let error = RegistryError.proposalConflict(
            role, open: .first, missing: ["target 'bundles/commands-en/1.0.0.json'"])
        #expect(throws: error) { try post(try targets("1.1.0"), by: [second]) }
        #expect(
            try registry.roles.standing(of: role, by: registry.admin).proposal?.signedBy
                == [first.publicKey.keyID])
    }

    @Test func `a proposal whose time has passed stands in nobody's way`() throws {
        try founded()
        _ = try post(try targets("1.0.0"), by: [first])
        let later = now + 61 * TestRegistry.day
        var other = try targets("1.1.0")
        other.expires = later + 10
        let bytes = TestRegistry.signed(other, of: role, by: [second])
        let posting = try registry.roles.post(bytes, as: role, by: registry.admin, at: later)
        #expect(posting.standing.proposal?.signedBy == [second.publicKey.keyID])
    }

    /// The targets after the first, with one release key exchanged.
    private func exchange(
        _ old: Ed25519PrivateKey, for new: Ed25519PrivateKey
    ) throws {
        var revision = RepositoryRevision(
            root: TestRegistry.firstRoot(at: now),
            targets: TestRegistry.firstTargets([model], at: now))
        try revision.replace(old.publicKey, with: new.publicKey)
        var exchanged = revision.targets
        exchanged.version = exchanged.version.next
        _ = try registry.roles.post(
            TestRegistry.signed(exchanged, of: .targets, by: [TestRegistry.targetsKey]),
            as: .targets, by: registry.admin, at: now)
    }

    @Test
    func `a thief's proposal is closed with the thief's key, also where others have added to it`()
        throws
    {
        try founded()
        _ = try post(try targets("6.6.6"), by: [first])
        // The pipeline's, which signs what it finds with what it brings.
        _ = try post(try targets("1.0.0", "6.6.6"), by: [second])
        let third = TestKeys.key("release-3")
        try exchange(first, for: third)
        #expect(try registry.roles.standing(of: role, by: registry.admin).proposal == nil)
        #expect(try registry.events().last == "role.proposal-withdrawn")
        let posting = try post(try targets("1.0.0"), by: [second])
        #expect(posting.standing.proposal?.signedBy == [second.publicKey.keyID])
        guard case .live = try post(try targets("1.0.0"), by: [third]) else {
            Issue.record("expected live")
            return
        }
        #expect(
            try registry.clientView(of: role, at: now).content.targets.map(\.key)
                == [try manifestPath("1.0.0")])
    }

    @Test func `a mistaken proposal can be withdrawn by a signer`() throws {
        try founded()
        _ = try post(try targets("1.0.0"), by: [first])
        #expect(throws: RegistryError.forbidden(needs: Scope(.sign, model))) {
            try registry.roles.withdrawProposal(
                of: role, by: principal(Scope(.publish)), at: now)
        }
        try registry.roles.withdrawProposal(
            of: role, by: principal(Scope(.sign, model)), at: now)
        #expect(throws: RegistryError.notFound("proposal", role.description)) {
            try registry.roles.proposal(of: role, by: registry.admin)
        }
        guard case .held = try post(try targets("1.1.0"), by: [first]) else {
            Issue.record("expected held")
            return
        }
        #expect(try registry.events().contains("role.proposal-withdrawn"))
    }

    @Test func `the proposal is read back byte for byte`() throws {
        try founded()
        let bytes = TestRegistry.signed(try targets("1.0.0"), of: role, by: [first])
        _ = try registry.roles.post(bytes, as: role, by: registry.admin, at: now)
        #expect(try registry.roles.proposal(of: role, by: registry.admin) == bytes)
    }

    // MARK: Scopes

    @Test func `publish proposes with one signature, sign adds more`() throws {
        try founded()
        let publisher = principal(Scope(.publish, model))
        let signer = principal(Scope(.sign, model))
        let targets = try targets("1.0.0")
        #expect(throws: RegistryError.forbidden(needs: Scope(.sign, model))) {
            try post(targets, by: [first, second], as: publisher)
        }
        _ = try post(targets, by: [first], as: publisher)
        // The same again is what a pipeline does that never saw the answer.
        _ = try post(targets, by: [first], as: publisher)
        #expect(throws: RegistryError.forbidden(needs: Scope(.sign, model))) {
            try post(targets, by: [second], as: publisher)
        }
        guard case .live = try post(targets, by: [second], as: signer) else {
            Issue.record("expected live")
            return
        }
    }

    @Test func `whoever may propose or sign sees what for`() throws {
        try founded()
        let publisher = principal(Scope(.publish, model))
        _ = try post(targets("1.0.0"), by: [first], as: publisher)
        for verb in [Scope.Verb.publish, .sign, .read] {
            let reader = principal(Scope(verb, model))
            #expect(try registry.roles.standing(of: role, by: reader).proposal != nil)
            #expect(try !registry.roles.proposal(of: role, by: reader).isEmpty)
        }
    }

    @Test func `neither reads nor writes without a scope of this model`() throws {
        try founded()
        let targets = try targets("1.0.0")
        let other = try #require(ModelName("commands-de"))
        for scope in [Scope(.publish, other), Scope(.read), Scope(.operate)] {
            #expect(throws: RegistryError.self) {
                try post(targets, by: [first], as: principal(scope))
            }
        }
        for scope in [Scope(.publish, other), Scope(.sign, other), Scope(.operate, model)] {
            #expect(throws: RegistryError.forbidden(needs: Scope(.read, model))) {
                try registry.roles.standing(of: role, by: principal(scope))
            }
            #expect(throws: RegistryError.forbidden(needs: Scope(.read, model))) {
                try registry.roles.proposal(of: role, by: principal(scope))
            }
        }
        #expect(throws: RegistryError.forbidden(needs: Scope(.sign))) {
            let root = TestRegistry.firstTargets([model], at: now).next(expires: now + 9)
            let bytes = TestRegistry.signed(
                root, of: .targets, by: [TestRegistry.targetsKey])
            return try registry.roles.post(
                bytes, as: .targets, by: principal(Scope(.publish)), at: now)
        }
    }

    // MARK: What targets name

    private func problems(_ change: (inout Targets) throws -> Void) throws -> [String] {
        try founded()
        var targets = Targets(expires: now + 60 * TestRegistry.day)
        try change(&targets)
        let error = #expect(throws: RegistryError.self) {
            try post(targets, by: [first, second])
        }
        #expect(
            try registry.store.read { (records) throws(RegistryError) in
                try records.live(role)
            } == nil)
        guard case .refusedByPolicy(let problems) = error else {
            Issue.record("\(String(describing: error))")
            return []
        }
        return problems
    }

    @Test func `a target outside of the role's paths is refused`() throws {
        try founded()
        for text in ["bundles/other/1.0.0.json", "rollouts/commands-en/main.json", "x"] {
            var targets = try targets("1.0.0")
            let path = try #require(TargetPath(text))
            targets.targets[path] = TargetDescription(of: [1])
            #expect(throws: RegistryError.outsidePaths(role, [path])) {
                try post(targets, by: [first, second])
            }
        }
    }

    @Test func `a path that could leave a folder is refused`() throws {
        let found = try problems { targets in
            var signed = try #require(targets.signed.object)
            var files = try #require(signed["targets"]?.object)
            files["../x"] = ["length": 1]
            signed["targets"] = .object(files)
            let bytes = JSON.object(["signatures": [], "signed": .object(signed)]).bytes
            targets = try Draft<Targets>(parsing: bytes, as: role).content
        }
        #expect(found == ["target '../x': expected \(TargetPath.expected), got another"])
    }

    @Test func `a manifest that is not uploaded, and a file of it, are named`() throws {
        let bundle = try SampleBundle(model, try version("1.0.0"))
        let other = try SampleBundle(model, try version("1.1.0"))
        let found = try problems { targets in
            targets.targets[try manifestPath("1.0.0")] = TargetDescription(
                of: bundle.manifest.bytes)
            try registry.upload(other.manifest.bytes)
            for (path, bytes) in other.files where path.description != "tokens.txt" {
                try registry.upload(bytes)
            }
            targets.targets[try manifestPath("1.1.0")] = TargetDescription(
                of: other.manifest.bytes)
        }
        #expect(found.count == 2)
        #expect(found.first?.contains("expected its bytes to be uploaded") == true)
        #expect(found.last?.contains("file 'tokens.txt' to be uploaded") == true)
    }

    @Test func `a manifest of another version or model, and no manifest, are named`() throws {
        let other = try #require(ModelName("commands-de"))
        let one = try SampleBundle(model, try version("1.0.0"))
        let two = try SampleBundle(other, try version("3.0.0"))
        let found = try problems { targets in
            try registry.upload(one)
            try registry.upload(two)
            try registry.upload(Array("{}".utf8))
            targets.targets[try manifestPath("2.0.0")] = TargetDescription(of: one.manifest.bytes)
            targets.targets[try manifestPath("3.0.0")] = TargetDescription(of: two.manifest.bytes)
            targets.targets[try manifestPath("4.0.0")] = TargetDescription(of: Array("{}".utf8))
            let odd = try #require(TargetPath("bundles/commands-en/latest.json"))
            targets.targets[odd] = TargetDescription(of: one.manifest.bytes)
        }
        #expect(found.count == 4)
        #expect(
            found[0].contains("'bundles/commands-en/2.0.0.json': expected version 2.0.0, got 1.0.0")
        )
        #expect(found[1].contains("expected model 'commands-en', got 'commands-de'"))
        #expect(found[2].contains("expected a manifest"))
        #expect(found[3].contains("bundles/<model>/<version>.json"))
    }

    @Test func `a length other than the blob's is named`() throws {
        let bundle = try SampleBundle(model, try version("1.0.0"))
        let found = try problems { targets in
            try registry.upload(bundle)
            targets.targets[try manifestPath("1.0.0")] = TargetDescription(
                length: bundle.reference.length + 1, sha256: bundle.reference.sha256)
        }
        #expect(found.count == 1)
        #expect(found[0].contains("expected length \(bundle.reference.length + 1)"))
    }

    @Test func `delegations of a model role are refused`() throws {
        let found = try problems { targets in
            targets.delegations = Delegations()
        }
        #expect(found == ["role 'model.commands-en': expected no delegations, got some"])
    }

    // MARK: Policies

    private func policy(
        of bundle: SampleBundle, candidate: BundleReference? = nil
    ) throws -> [UInt8] {
        let reference = candidate ?? bundle.reference
        return try PolicyDraft.complete(
            [
                "model": .string(model.description),
                "candidate": .string(reference.version.description), "replaces": [],
            ], candidate: reference, now: now
        ).json.canonicalBytes
    }

    @Test func `a policy goes live with its bundle, and not without`() throws {
        let bundle = try SampleBundle(model, try version("1.0.0"))
        let name = try #require(AttributeName("standard"))
        let bytes = try policy(of: bundle)
        let path = TargetPath.policy(of: model, bundle.manifest.version, name: name)
        let found = try problems { targets in
            try registry.upload(bytes)
            targets.targets[path] = TargetDescription(of: bytes)
        }
        #expect(found.count == 1)
        #expect(found[0].contains("expected its bundle 1.0.0 in the same metadata"))
        try registry.upload(bundle)
        var targets = Targets(expires: now + 60 * TestRegistry.day)
        targets.targets[path] = TargetDescription(of: bytes)
        targets.targets[try manifestPath("1.0.0")] = TargetDescription(of: bundle.manifest.bytes)
        guard case .live = try post(targets, by: [first, second]) else {
            Issue.record("expected live")
            return
        }
    }

    @Test func `a policy for other bytes, under another version, or that is none, is named`() throws
    {
        let bundle = try SampleBundle(model, try version("1.0.0"))
        let wrong = BundleReference(
            version: bundle.reference.version, sha256: SHA256.digest(of: [1]), length: 5)
        let policies = [
            ("1.0.0.forged", try policy(of: bundle, candidate: wrong)),
            ("2.0.0.early", try policy(of: bundle)), ("1.0.0.not", Array("{}".utf8)),
        ]
        let found = try problems { targets in
            try registry.upload(bundle)
            targets.targets[try manifestPath("1.0.0")] = TargetDescription(
                of: bundle.manifest.bytes)
            for (name, bytes) in policies {
                try registry.upload(bytes)
                let path = try #require(TargetPath("policies/commands-en/\(name).json"))
                targets.targets[path] = TargetDescription(of: bytes)
            }
        }
        #expect(found.count == 3)
        #expect(found[0].contains("expected the manifest \(wrong.sha256)"))
        #expect(found[1].contains("expected a policy, an approval or a lift"))
        #expect(found[2].contains("expected a name that begins with its version, 1.0.0"))
    }

    @Test func `an approval must be of a listed policy; a lift may be signed again`() throws {
        let bundle = try SampleBundle(model, try version("1.0.0"))
        let stage = try #require(AttributeName("beta"))
        let name = try #require(AttributeName("standard"))
        let policyBytes = try policy(of: bundle)
        let approval = Approval(
            model: model, policy: SHA256.digest(of: policyBytes), stage: stage)
        let approvalBytes = approval.json.canonicalBytes
        let approvalPath = try #require(
            TargetPath("policies/commands-en/1.0.0.standard.beta.approval.json"))
        let found = try problems { targets in
            try registry.upload(approvalBytes)
            targets.targets[approvalPath] = TargetDescription(of: approvalBytes)
        }
        #expect(found.count == 1)
        #expect(found[0].contains("expected an approval of a listed policy"))
        let misnamed = try problems { targets in
            for name in ["lift", "standard.beta.approval"] {
                let path = try #require(TargetPath("policies/commands-en/1.0.0.\(name).json"))
                try registry.upload(policyBytes)
                targets.targets[path] = TargetDescription(of: policyBytes)
            }
        }
        #expect(misnamed.count == 2)
        #expect(misnamed[0].contains("expected fieldfare.lift/1, got 'fieldfare.policy/1'"))
        #expect(misnamed[1].contains("expected fieldfare.approval/1, got 'fieldfare.policy/1'"))
        let liftPath = try #require(TargetPath("policies/commands-en/1.0.0.lift.json"))
        func lift(_ until: UTCTime) -> [UInt8] {
            Lift(
                model: model, version: bundle.reference.version,
                sha256: bundle.reference.sha256, until: until
            ).json.canonicalBytes
        }
        try registry.upload(bundle)
        for bytes in [policyBytes, lift(now), lift(now + 60)] { try registry.upload(bytes) }
        var targets = Targets(expires: now + 60 * TestRegistry.day)
        targets.targets = [
            approvalPath: TargetDescription(of: approvalBytes),
            .policy(of: model, bundle.manifest.version, name: name): TargetDescription(
                of: policyBytes),
            try manifestPath("1.0.0"): TargetDescription(of: bundle.manifest.bytes),
            liftPath: TargetDescription(of: lift(now)),
        ]
        _ = try post(targets, by: [first, second])
        targets = targets.next(expires: targets.expires)
        targets.targets[liftPath] = TargetDescription(of: lift(now + 60))
        guard case .live = try post(targets, by: [first, second]) else {
            Issue.record("expected live")
            return
        }
    }

    @Test func `metadata that does not name its role is refused`() throws {
        try founded()
        let other = RoleName.plans(model)
        for (name, found) in [(nil, "none"), (other, "'\(other)'")] as [(RoleName?, String)] {
            var content = try targets("1.0.0")
            content.role = name
            var draft = Draft(content, of: role)
            for key in [first, second] { draft.sign(with: key) }
            let refusal = RegistryError.refusedByPolicy([
                "role '\(role)': expected its name in field 'x-fieldfare-role', got \(found)"
            ])
            #expect(throws: refusal) {
                try registry.roles.post(draft.bytes, as: role, by: registry.admin, at: now)
            }
        }
        _ = try post(try targets("1.0.0"), by: [first, second])
        for role in [RoleName.targets, .model(model), .plans(model)] {
            let live = try registry.store.read { (records) throws(RegistryError) in
                try records.live(role)
            }
            let draft = try Draft<Targets>(parsing: try #require(live).bytes, as: role)
            #expect(draft.content.role == role)
        }
    }

    // MARK: Limits and shape

    @Test func `what is no metadata is refused in the words of TUF`() throws {
        try founded()
        for text in ["", "{}", "[]", #"{"signatures":[],"signed":{"_type":"root"}}"#] {
            let error = #expect(throws: RegistryError.self) {
                try registry.roles.post(
                    Array(text.utf8), as: role, by: registry.admin, at: now)
            }
            #expect(error?.code == .refusedByTrust)
        }
        let long = [UInt8](repeating: 0x20, count: Roles.byteLimit + 1)
        #expect(
            throws: RegistryError.tooLarge(
                "metadata", limit: Int64(Roles.byteLimit), found: Int64(long.count))
        ) {
            try registry.roles.post(long, as: role, by: registry.admin, at: now)
        }
    }

    @Test func `roles that the registry signs itself, and unknown ones, cannot be posted`() throws {
        let targets = try targets("1.0.0")
        let bytes = TestRegistry.signed(targets, of: role, by: [first, second])
        #expect(throws: RegistryError.noRepository) {
            try registry.roles.post(bytes, as: role, by: registry.admin, at: now)
        }
        try founded()
        let unknown = try #require(ModelName("commands-de"))
        for role in [RoleName.snapshot, .timestamp, .plans(model), .model(unknown)] {
            #expect(throws: RegistryError.notPostable(role)) {
                try registry.roles.post(bytes, as: role, by: registry.admin, at: now)
            }
        }
    }
}
