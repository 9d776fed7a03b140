import Console
import PosixFiles
import Primitives
import TUF

/// What a difference is shown against, verified from a root that the one who signs trusts: who could change it could
/// hide a part of what is signed.
struct TrustedBase {
    let root: TrustedRootFile

    /// The version of root or targets before a staged one, in a ceremony's folder.
    ///
    /// - Throws: `Failure` `refused` where there is none that follows from the trusted root.
    func version(
        before staged: StagedRole, of role: RoleName, in folder: CeremonyFolder
    ) throws(Failure) -> [UInt8] {
        let newest = try folder.standing(of: .root)
        let isSettled = role == .targets && newest.missing == 0
        let end = isSettled ? newest.version.next : newest.version
        let chain = try RootChain(from: root.bytes) { (version) throws(Failure) in
            version < end ? try folder.version(version.number, of: .root) : nil
        }
        if let before = try folder.version(staged.version.number - 1, of: role) {
            if role == .root, chain.roots.last?.bytes == before { return before }
            if role == .targets, try chain.verifies(targets: StagedRole(before, as: role)) {
                return before
            }
        }
        throw refusal(of: role, staged)
    }

    /// What is live at a registry, nil where nothing is, and who may sign what comes next.
    ///
    /// - Throws: `Failure` `refused` where a device that trusts the root would refuse it, or something else is live
    ///   than the version before the staged one.
    func version(
        before staged: StagedRole, of role: RoleName, at source: any StaticSource
    ) throws(Failure) -> (bytes: [UInt8]?, signers: [Verifiers]) {
        let registry = try TrustedRegistry(source, root: root)
        if case .root(let draft) = staged {
            let live = try registry.root()
            try check(staged, follows: live.version.number, role)
            return (live.bytes, [live.content, draft.content].map { $0.verifiers(of: .root) })
        }
        let live: LiveRole?
        let signers: Verifiers?
        if role == .targets {
            live = try registry.liveTargets()
            signers = try registry.root().content.verifiers(of: .targets)
        } else {
            var repository = try registry.repository()
            live = try registry.live(role, in: &repository)
            signers = repository.verifiers(of: role)
        }
        try check(staged, follows: live?.content.version.number ?? 0, role)
        if live?.isVerified == false {
            Output.note(
                "\(role): its keys of today have not signed what is live; all is shown as new")
        }
        return (live.flatMap { $0.isVerified ? $0.bytes : nil }, signers.map { [$0] } ?? [])
    }

    /// Refuses what does not come next: `busy` where that is live already, because somebody was faster.
    private func check(
        _ staged: StagedRole, follows live: Int64, _ role: RoleName
    ) throws(Failure) {
        guard live < staged.version.number else {
            throw Failure(
                .busy,
                "\(role): expected a proposal of version \(live + 1), got one of version \(staged.version)",
                hint: "somebody was faster: look again at 'fieldfare repo status'")
        }
        guard staged.version.number - 1 == live else { throw refusal(of: role, staged) }
    }

    private func refusal(of role: RoleName, _ staged: StagedRole) -> Failure {
        Failure(
            .refused,
            "\(role) \(staged.version): expected a version before it that follows from '\(root.path)', got none",
            hint: "do not sign; somebody may hide what changes")
    }
}
