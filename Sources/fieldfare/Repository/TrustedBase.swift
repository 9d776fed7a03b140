import Console
import PosixFiles
import Primitives
import TUF

/// What a difference is shown against, verified from a root that the one who signs trusts: who could change it could
/// hide a part of what is signed.
struct TrustedBase {
    let path: String
    private let root: [UInt8]

    /// - Parameter path: the file of a root of any version.
    /// - Throws: `Failure` where it cannot be read.
    init(root path: String) throws(Failure) {
        self.path = path
        root = try FileBytes.read(path, limit: Limits.standard.root)
    }

    /// The version of root or targets before a staged one, in a ceremony's folder.
    ///
    /// - Throws: `Failure` `refused` where there is none that follows from the trusted root.
    func version(
        before staged: StagedRole, of role: RoleName, in folder: CeremonyFolder
    ) throws(Failure) -> [UInt8] {
        let newest = try folder.standing(of: .root)
        let isSettled = role == .targets && newest.missing == 0
        let end = isSettled ? newest.version.next : newest.version
        let chain = try RootChain(from: root) { (version) throws(Failure) in
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

    /// What is live at a registry; nil where nothing is.
    ///
    /// - Throws: `Failure` `refused` where a device that trusts the root would refuse it, or something else is live
    ///   than the version before the staged one.
    func version(
        before staged: StagedRole, of role: RoleName, at source: any StaticSource
    ) throws(Failure) -> [UInt8]? {
        let refresh = Refresh(
            fetcher: SourceFetcher(source: source), store: MetadataMemory(),
            start: SystemClock.now(), expiry: .reportOffline)
        let live: (version: MetadataVersion, bytes: [UInt8])?
        do {
            try refresh.install(trustedRoot: root)
            var repository = try refresh.run()
            if role == .root {
                live = (repository.root.version, repository.root.bytes)
            } else if role == .targets {
                live = (repository.targets.version, repository.targets.bytes)
            } else {
                let isListed = repository.version(of: role) != nil
                live =
                    try isListed
                    ? refresh.load(role, into: &repository).map { ($0.version, $0.bytes) } : nil
            }
        } catch {
            switch error {
            case .fetching(let failure): throw failure
            case .refused(let error): throw Failure(.refused, "repository: \(error)")
            }
        }
        guard staged.version.number - 1 == live?.version.number ?? 0 else {
            throw refusal(of: role, staged)
        }
        return live?.bytes
    }

    private func refusal(of role: RoleName, _ staged: StagedRole) -> Failure {
        Failure(
            .refused,
            "\(role) \(staged.version): expected a version before it that follows from '\(path)', got none",
            hint: "do not sign; somebody may hide what changes")
    }
}
