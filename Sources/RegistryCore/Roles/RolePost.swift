import Cryptography
import Primitives
import Rollouts
import TUF

/// One posting of role metadata, inside its transaction.
struct RolePost {
    let role: RoleName
    let bytes: [UInt8]
    let actor: Principal
    let now: UTCTime
    let records: any RegistryRecords
    let repository: LiveRepository
    let blobs: any BlobStoring
    let signer: OnlineSigner

    // MARK: Root

    func postRoot() throws(RegistryError) -> RolePosting {
        let offered = try trusting { () throws(TUFError) in
            try Draft<Root>(parsing: bytes, as: .root)
        }
        let old = repository.root?.content.verifiers(of: .root)
        let own = offered.content.verifiers(of: .root)
        let proposing = try Proposing<Root>(
            .root, verifiers: [old, own].compactMap(\.self),
            live: repository.root?.content.version, proposal: try records.proposal(.root),
            at: now)
        let result = try proposing.weigh(offered, at: now) { open, offered in
            Self.lacking(in: offered, of: open)
        }
        try RegistryCore.authorise(actor, .sign, on: .registry)
        try checkOnlineKeys(offered.content)
        guard proposing.missing(result.draft) == 0 else { return try hold(result, proposing) }
        try SelfCheck.verify(root: result.draft.bytes, after: repository.root?.bytes)
        return try goLive(result, proposing)
    }

    /// A root that names other keys for snapshot or timestamp than the registry has would stop it.
    private func checkOnlineKeys(_ root: Root) throws(RegistryError) {
        var problems: [String] = []
        for (role, purpose) in [
            (RoleName.snapshot, OnlineKeys.Purpose.snapshot), (.timestamp, .timestamp),
        ] {
            problems += signer.keys.problem(role, purpose, named: root.verifiers(of: role))
        }
        if !root.consistentSnapshot {
            problems.append("root: expected consistent_snapshot true, got false")
        }
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
    }

    /// What an open root has and the offered one lacks: keys, and keys of roles.
    private static func lacking(in offered: Root, of open: Root) -> [String] {
        let keys = open.keys.keys.filter { offered.keys[$0] == nil }.map { "key \($0)" }
        let roles = open.roles.flatMap { name, role in
            role.keyIDs.filter { !(offered.roles[name]?.keyIDs.contains($0) ?? false) }
                .map { "key \($0) of \(name)" }
        }
        return (keys + roles).sorted()
    }

    // MARK: Targets, top-level and of a model

    func postTargets() throws(RegistryError) -> RolePosting {
        guard role == .targets || role.isModel else { throw .notPostable(role) }
        guard let verifiers = repository.verifiers(of: role) else {
            guard repository.root != nil else { throw .noRepository }
            throw .notPostable(role)
        }
        let offered = try trusting { () throws(TUFError) in
            try Draft<Targets>(parsing: bytes, as: role)
        }
        let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
        let proposing = try Proposing<Targets>(
            role, verifiers: [verifiers], live: live?.content.version,
            proposal: try records.proposal(role), at: now)
        let result = try proposing.weigh(offered, at: now) { open, offered in
            Self.lacking(in: offered, of: open)
        }
        try authorise(result)
        guard offered.content.role == role else {
            let found = offered.content.role.map { "'\($0)'" } ?? "none"
            throw .refusedByPolicy([
                "role '\(role)': expected its name in field 'x-fieldfare-role', got \(found)"
            ])
        }
        try checkPaths(offered.content)
        if let model = role.modelName {
            try checkHistory(offered.content)
            var check = TargetsCheck(
                model: model, offered: offered.content, live: live?.content, blobs: blobs)
            try check.run()
        } else {
            try checkPlansKeys(offered.content)
        }
        guard proposing.missing(result.draft) == 0 else { return try hold(result, proposing) }
        return try goLive(result, proposing)
    }

    /// `publish` for a model's new content with one signature; `sign` for all else.
    private func authorise(_ result: Proposing<Targets>.Result) throws(RegistryError) {
        let reach = Roles.reach(of: role)
        guard role.isModel, result.added <= 1 else {
            return try RegistryCore.authorise(actor, .sign, on: reach)
        }
        if result.isNew || result.added == 0 {
            try authoriseAny(actor, [.sign, .publish], on: reach)
        } else {
            try RegistryCore.authorise(actor, .sign, on: reach)
        }
    }

    /// What an open proposal has and the offered metadata lacks or changes.
    private static func lacking(in offered: Targets, of open: Targets) -> [String] {
        let difference = TargetsDifference(from: open, to: offered)
        let targets = difference.targets.filter { !$0.isAddition }.map { "target '\($0.name)'" }
        let roles = difference.roles.filter { !$0.isAddition }.map { "role '\($0.name)'" }
        let keys = difference.keys.filter { !$0.isAddition }.map { "key \($0.name)" }
        let order = difference.isReordered ? ["the order of the roles"] : []
        return targets + roles + keys + order
    }

    private func checkPaths(_ offered: Targets) throws(RegistryError) {
        let outside: [TargetPath]
        if let delegation = repository.delegation(of: role) {
            outside = offered.targets(outside: delegation)
            guard offered.delegations == nil else {
                throw .refusedByPolicy(["role '\(role)': expected no delegations, got some"])
            }
        } else {
            outside = offered.targets.keys.sorted()
        }
        guard outside.isEmpty else { throw .outsidePaths(role, outside) }
        let unusable = offered.unusablePaths.map { path in
            "target '\(path)': expected \(TargetPath.expected), got another"
        }
        guard unusable.isEmpty else { throw .refusedByPolicy(unusable) }
    }

    /// A target that was ever live keeps its bytes, but for lifts, which are renewed.
    private func checkHistory(_ offered: Targets) throws(RegistryError) {
        for (path, target) in offered.targets.sorted(by: { $0.key < $1.key })
        where ReleaseDocument.Kind(path) != .lift {
            guard let first = try records.firstDigest(of: path),
                let digest = target.hashes.sha256, digest != first
            else { continue }
            throw .otherBytes(path, live: first, offered: digest)
        }
    }

    /// Targets that delegate to what is no role of a model, or plans to other keys than ours, are refused.
    private func checkPlansKeys(_ offered: Targets) throws(RegistryError) {
        var problems: [String] = []
        for delegated in offered.delegations?.roles ?? [] {
            let name = delegated.name
            guard name.isModel || name.isPlans else {
                problems.append(
                    "role '\(name)': expected 'model.<m>' or 'plans.<m>', got another name")
                continue
            }
            if !delegated.isTerminating {
                problems.append(
                    "role '\(name)': expected a terminating delegation, got another")
            }
            guard name.isPlans, let verifiers = offered.delegations?.verifiers(of: name)
            else { continue }
            problems += signer.keys.problem(name, .plans, named: verifiers)
        }
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
    }

    // MARK: Held and live

    private func hold<Content>(
        _ result: Proposing<Content>.Result, _ proposing: Proposing<Content>
    ) throws(RegistryError) -> RolePosting {
        let stored = StoredRole(
            role: role, version: result.draft.content.version, bytes: result.draft.bytes)
        if result.isNew || result.added > 0 {
            try records.setProposal(role, stored)
            try records.append(
                .roleHeld(
                    stored, signers: proposing.signers(result.draft),
                    missing: proposing.missing(result.draft)),
                by: Actor(actor), at: now)
        }
        return .held(try RoleStanding(of: role, in: repository, records))
    }

    private func goLive<Content>(
        _ result: Proposing<Content>.Result, _ proposing: Proposing<Content>
    ) throws(RegistryError) -> RolePosting {
        let file = StoredRole(
            role: role, version: result.draft.content.version, bytes: result.draft.bytes)
        try records.setProposal(role, nil)
        if let targets = result.draft.content as? Targets {
            for (path, target) in targets.targets {
                guard let digest = target.hashes.sha256 else { continue }
                try records.setFirstDigest(of: path, digest)
            }
        }
        try signer.publish([file], in: records, at: now)
        try SelfCheck(records: records, now: now).verify(role)
        try records.append(
            .roleLive(file, signers: proposing.signers(result.draft)), by: Actor(actor), at: now)
        let next = try LiveRepository(records)
        try closeProposals(under: next)
        return .live(try RoleStanding(of: role, in: next, records))
    }

    /// Closes the open proposal of each role that has lost a key.
    ///
    /// A thief of that key may have begun it, and others have signed it with more, unread: nobody can tell any more who
    /// vouched for what is in it.
    private func closeProposals(under next: LiveRepository) throws(RegistryError) {
        guard role.isTopLevel else { return }
        for held in repository.roles {
            let old = repository.verifiers(of: held)?.publicKeys ?? []
            let keys = next.verifiers(of: held)?.publicKeys ?? []
            guard !old.isSubset(of: keys), let proposal = try records.proposal(held) else {
                continue
            }
            try records.setProposal(held, nil)
            try records.append(.proposalWithdrawn(proposal), by: Actor(actor), at: now)
        }
    }
}
