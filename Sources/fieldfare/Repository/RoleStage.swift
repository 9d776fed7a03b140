import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives
import RegistryAccess
import TUF

/// How long the next versions of root and targets live, and where they begin if not in a folder.
struct StageOptions: ParsableArguments {
    @OptionGroup var trust: RootOptions

    @Option(help: "Days until the new versions expire.")
    var days: Int64 = 365

    @OptionGroup var server: ServerOptions

    func expires() throws(Failure) -> UTCTime { try Moment.expiry(inDays: days) }

    /// What the registry publishes, as the trusted root vouches for it.
    func published() throws(Failure) -> PublishedRoles {
        try PublishedRoles(server.api(), root: trust.file())
    }
}

/// The folder that the next versions of root and targets are staged in.
struct FolderOptions: ParsableArguments {
    @Option(help: "The folder of the ceremony; made where it is missing.")
    var dir: String

    @OptionGroup var stage: StageOptions
    @OptionGroup var output: OutputOptions

    var folder: CeremonyFolder { CeremonyFolder(path: dir) }

    /// What the folder has, or else what the registry publishes.
    func roles() throws(Failure) -> RoleStage {
        try RoleStage(folder) { () throws(Failure) in try stage.published() }
    }
}

/// Root and targets in a ceremony's folder, about to get their next versions.
///
/// A version that has all its signatures is never changed: the next one follows it, and it stays as
/// `<version>.<role>.json`. One that has not takes further changes, and loses the signatures it has.
struct RoleStage {
    let folder: CeremonyFolder
    let root: Draft<Root>
    let targets: Draft<Targets>
    /// What is published, where the folder lacks it.
    private let base: PublishedRoles?

    /// Reads the folder.
    ///
    /// - Parameters:
    ///   - folder: the ceremony's folder.
    ///   - published: asked where the folder lacks root and targets; `save` puts what it has into the folder.
    /// - Throws: `Failure` for files that are no root and targets, or only one of the two.
    init(
        _ folder: CeremonyFolder, orFrom published: () throws(Failure) -> PublishedRoles
    ) throws(Failure) {
        self.folder = folder
        let held = try [folder.newest(.root), folder.newest(.targets)]
        base = held.contains(nil) ? try published() : nil
        if let base { try Self.check(folder, lacks: base) }
        guard
            case .root(let root) = try StagedRole(base?.root ?? held[0] ?? [], as: .root),
            case .targets(let targets) = try StagedRole(
                base?.targets ?? held[1] ?? [], as: .targets)
        else { preconditionFailure("each role is read as what it is") }
        self.root = root
        self.targets = targets
    }

    /// Whether what the folder has of the two is what is published: a kill between two writes has left it, and it does
    /// no harm.
    private static func check(
        _ folder: CeremonyFolder, lacks published: PublishedRoles
    ) throws(Failure) {
        for (role, bytes) in [(RoleName.root, published.root), (.targets, published.targets)] {
            guard let held = try folder.newest(role), held != bytes else { continue }
            throw Failure(
                .refused,
                "folder '\(folder.path)': expected root.json and targets.json, or neither, got only \(MetadataFileName(role))"
            )
        }
    }

    /// Puts what is published into the folder, root last.
    private func fill(from published: PublishedRoles) throws(Failure) {
        for root in published.chain.roots.dropLast() {
            try folder.write(root.bytes, MetadataFileName(.root, version: root.version))
        }
        try folder.write(published.targets, MetadataFileName(.targets))
        try folder.write(published.root, MetadataFileName(.root))
    }

    var revision: RepositoryRevision {
        RepositoryRevision(root: root.content, targets: targets.content)
    }

    /// Writes what differs, and roles that are to live longer.
    ///
    /// - Returns: the roles that have something to be signed now.
    func save(
        _ revision: RepositoryRevision, renewing: [RoleName] = [], expires: UTCTime
    ) throws(Failure) -> [RoleName] {
        if let base { try fill(from: base) }
        var staged: [RoleName] = []
        // A root with other keys for targets leaves the devices without targets until those keys sign it.
        let isOrphaned =
            try folder.standing(of: .targets).missing == 0
            && !targets.progress(towards: revision.root.verifiers(of: .targets)).isComplete
        if revision.targets != targets.content || isOrphaned || renewing.contains(.targets) {
            try save(revision.targets, after: targets, .targets, expires)
            staged.append(.targets)
        }
        if revision.root != root.content || renewing.contains(.root) {
            try save(revision.root, after: root, .root, expires)
            staged.insert(.root, at: 0)
        }
        return staged
    }

    private func save<Content: RoleMetadata>(
        _ content: Content, after old: Draft<Content>, _ role: RoleName, _ expires: UTCTime
    ) throws(Failure) {
        let isComplete = try folder.standing(of: role).missing == 0
        var next = content
        next.expires = expires
        if isComplete, let bytes = try folder.newest(role) {
            try folder.write(bytes, MetadataFileName(role, version: old.content.version))
            next.version = old.content.version.next
        } else if !old.signatures.isEmpty {
            Output.note("\(role) \(next.version): its signatures so far count no more")
        }
        try folder.write(Draft(next, of: role).bytes, MetadataFileName(role))
    }

    /// Says what was staged, and who must sign it.
    static func tell(
        _ roles: [RoleName], in folder: CeremonyFolder, _ output: OutputOptions
    ) throws(Failure) {
        for role in roles {
            let standing = try folder.standing(of: role)
            let signers = try folder.signers(of: role)
            let path = "\(folder.path)/\(MetadataFileName(role))"
            if output.isJSON {
                Output.json([
                    "type": "staged", "role": .string(role.description), "path": .string(path),
                    "version": .integer(standing.version.number),
                    "expires": .string(standing.expires.description),
                    "signers": .array(signers.map(json)),
                ])
                continue
            }
            Output.line("\(role) \(standing.version): staged in \(path); to be signed by")
            for signer in signers {
                let ids = signer.verifiers.keys.keys.sorted()
                Output.line("  \(signer.verifiers.threshold) of these, by root \(signer.root)")
                for id in ids { Output.line("    \(id)") }
            }
        }
    }

    private static func json(_ signers: CeremonyFolder.Signers) -> JSON {
        [
            "root": .integer(signers.root.number),
            "threshold": .integer(Int64(signers.verifiers.threshold.count)),
            "keyids": .array(
                signers.verifiers.keys.keys.sorted().map { .string($0.description) }),
        ]
    }
}

extension Failure {
    init(_ error: RevisionError) { self.init(.refused, "\(error)", hint: error.hint) }

    /// Does something that the rules of a repository may refuse.
    static func revising<Value>(
        _ work: () throws(RevisionError) -> Value
    ) throws(Failure) -> Value {
        do { return try work() } catch { throw Failure(error) }
    }
}
