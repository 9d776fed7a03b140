def sub(p,a,b,n=1):
    t=open(p).read(); assert t.count(a)==n,(p,a,t.count(a)); open(p,'w').write(t.replace(a,b))
K='Sources/fieldfare/Keys/KeyArgument.swift'
t=open(K).read()
a=t.index("        if let key = Ed25519PublicKey(hex: text) {")
t=t[:a]+'''        // A key id looks like a public key; half of them are none.
        if let key = Ed25519PublicKey(hex: text) { return try strong(key) }
        guard try FileBytes.exists(text) else {
            throw Failure(
                .usage,
                "key: expected \\(more)a key file or a public key of 64 digits, got '\\(text)'")
        }
        return try strong(KeyFile.read(at: text).publicKey)
    }

    /// With another one a role would wait for signatures that nobody can make.
    private func strong(_ key: Ed25519PublicKey) throws(Failure) -> Ed25519PublicKey {
        guard key.isStrong else {
            throw Failure(.usage, "key: expected a public key, got other digits: '\\(text)'")
        }
        return key
    }
}
'''
open(K,'w').write(t)

C='Sources/fieldfare/Repository/CeremonyFolder.swift'
sub(C,"""    /// How far a role is, by the delegator's keys of which the most are missing.
    struct Standing {
        let bytes: [UInt8]
        let signedBy: Int
        let missing: Int
        let threshold: Int
        let version: MetadataVersion
        let expires: UTCTime
    }
""","""    /// How far a role is.
    struct Standing {
        let version: MetadataVersion
        let expires: UTCTime
        /// By each delegator that must be content, as `signers(of:)` names them; never empty.
        let all: [(root: MetadataVersion, progress: SigningProgress)]
        /// By the delegator's keys of which the most are missing.
        let signedBy: Int
        let missing: Int
        let threshold: Int
    }
""")
sub(C,"""        let all = try signers(of: role).map { staged.progress(towards: $0.verifiers) }
        guard let progress = all.max(by: { $0.missing < $1.missing }) else {
            preconditionFailure("somebody signs every role")
        }
        return Standing(
            bytes: bytes, signedBy: progress.signedBy.count, missing: progress.missing,
            threshold: progress.threshold.count, version: staged.version,
            expires: staged.expires)
""","""        let all = try signers(of: role).map { signers in
            (root: signers.root, progress: staged.progress(towards: signers.verifiers))
        }
        guard let (_, least) = all.max(by: { $0.progress.missing < $1.progress.missing }) else {
            preconditionFailure("somebody signs every role")
        }
        return Standing(
            version: staged.version, expires: staged.expires, all: all,
            signedBy: least.signedBy.count, missing: least.missing,
            threshold: least.threshold.count)
""")
S='Sources/fieldfare/Repository/RepositoryStatus.swift'
t=open(S).read()
a=t.index("        var table = Table([\"role\"")
t=t[:a]+'''        var table = Self.table()
        var signatures: [String] = []
        for role in answer["roles"]?.array ?? [] {
            let name = role["role"]?.string ?? ""
            let missing = role["proposal"]?["missing"]?.integer.map { "proposal: \\($0) missing" }
            table.add([
                name, role["live"]?["version"]?.integer.map { "\\($0)" } ?? "-",
                role["live"]?["expires"]?.string ?? "-", missing ?? "no proposal",
            ])
            guard let proposal = role["proposal"], missing != nil else { continue }
            let signed = proposal["signed_by"]?.array?.compactMap(\\.string) ?? []
            let all = role["keyids"]?.array?.compactMap(\\.string) ?? []
            signatures.append("\\(name), proposal of version \\(proposal["version"]?.integer ?? 0)")
            signatures += Self.lines(signed, all.filter { !signed.contains($0) })
        }
        show(table, signatures)
    }

    private func show(ceremony: CeremonyFolder) throws(Failure) {
        var table = Self.table()
        var signatures: [String] = []
        var roles: [JSON] = []
        for role in [RoleName.root, .targets] {
            let standing = try ceremony.standing(of: role)
            table.add([
                "\\(role)", "\\(standing.version)", "\\(standing.expires)",
                "\\(standing.signedBy) of \\(standing.threshold)",
            ])
            for (root, progress) in standing.all {
                signatures.append(
                    "\\(role) \\(standing.version), by root \\(root): \\(progress.signedBy.count) of \\(progress.threshold)"
                )
                signatures += Self.lines(
                    progress.signedBy.map(\\.description), progress.waitingFor.map(\\.description))
            }
            roles.append(Self.json(role, standing))
        }
        guard !output.isJSON else {
            return Output.json(["type": "ceremony", "roles": .array(roles)])
        }
        show(table, signatures)
    }

    private static func json(_ role: RoleName, _ standing: CeremonyFolder.Standing) -> JSON {
        let signers = standing.all.map { root, progress -> JSON in
            [
                "root": .integer(root.number),
                "threshold": .integer(Int64(progress.threshold.count)),
                "signed_by": .array(progress.signedBy.map { .string($0.description) }),
                "waiting_for": .array(progress.waitingFor.map { .string($0.description) }),
            ]
        }
        return [
            "role": .string(role.description), "version": .integer(standing.version.number),
            "expires": .string(standing.expires.description),
            "signatures": .integer(Int64(standing.signedBy)),
            "threshold": .integer(Int64(standing.threshold)), "signers": .array(signers),
        ]
    }

    private static func table() -> Table { Table(["role", "version", "expires", "signatures"]) }

    private static func lines(_ signed: [String], _ waiting: [String]) -> [String] {
        signed.map { "  signed    \\($0)" } + waiting.map { "  can sign  \\($0)" }
    }

    private func show(_ table: Table, _ signatures: [String]) {
        for line in table.lines + signatures { Output.line(line) }
    }
}
'''
open(S,'w').write(t)

G='Sources/fieldfare/Repository/RoleStage.swift'
sub(G,"""    /// Writes what differs.
    ///
    /// - Returns: the roles that have something to be signed now.
    func save(_ revision: RepositoryRevision, expires: UTCTime) throws(Failure) -> [RoleName] {
""","""    /// Writes what differs, and roles that are to live longer.
    ///
    /// - Returns: the roles that have something to be signed now.
    func save(
        _ revision: RepositoryRevision, renewing: [RoleName] = [], expires: UTCTime
    ) throws(Failure) -> [RoleName] {
""")
sub(G,"""        if revision.targets != targets.content || isOrphaned {
""","""        if revision.targets != targets.content || isOrphaned || renewing.contains(.targets) {
""")
sub(G,"""        if revision.root != root.content {
            try""","""        if revision.root != root.content || renewing.contains(.root) {
            try""")
open('Sources/fieldfare/Repository/RepositoryRenew.swift','w').write("""import ArgumentParser
import Console
import Primitives
import TUF

/// `fieldfare repo renew`: the next root and targets, which say the same and live longer.
struct RepositoryRenew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Stages root and targets with a later end.",
        discussion: \"\"\"
            Nothing else changes. They are staged in the folder, from what it has or else the registry publishes, and it \\\\
            is said who must sign them: 'fieldfare repo sign', then 'fieldfare repo push'. A model's own metadata is \\\\
            renewed with 'fieldfare publish --renew'.

            EXAMPLE
              fieldfare repo renew --dir ceremony --days 365
            \"\"\")

    @Argument(help: "root or targets; both where none is named.")
    var role: [String] = []

    @Option(help: "The folder of the ceremony; made where it is missing.")
    var dir: String

    @OptionGroup var stage: StageOptions
    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        var roles: [RoleName] = []
        for text in role {
            guard let role = RoleName(text), [.root, .targets].contains(role) else {
                throw Failure(.usage, "role: expected root or targets, got '\\(text)'")
            }
            roles.append(role)
        }
        let expires = try stage.expires()
        let folder = CeremonyFolder(path: dir)
        let staged = try RoleStage(folder) { () throws(Failure) in try stage.published(server) }
        let saved = try staged.save(
            staged.revision, renewing: roles.isEmpty ? [.root, .targets] : roles, expires: expires)
        try RoleStage.tell(saved, in: folder, output)
    }
}
""")
sub('Sources/fieldfare/Repository/RepositoryCommand.swift',"RepositoryRotate.self, RepositoryWithdraw.self,","RepositoryRotate.self, RepositoryRenew.self, RepositoryWithdraw.self,")
P='Sources/fieldfare/Publishing/PublishCommand.swift'
sub(P,"""    @Option(help: "Days until the role's metadata expires.")
    var days: Int64 = 90
""","""    @Option(help: "Days until the role's metadata expires.")
    var days: Int64 = 90

    @Flag(help: "Sign the role's metadata anew though all of this is live: for a later end.")
    var renew = false
""")
sub(P,"tell(try proposal.add(additions), manifest, bundle)","tell(try proposal.add(additions, renewing: renew), manifest, bundle)")
Q='Sources/fieldfare/Publishing/RoleProposal.swift'
sub(Q,"""    func add(_ additions: [TargetPath: TargetDescription]) throws(Failure) -> JSON {
        try Self.untilFastest { () throws(Failure) in try propose(additions) }
    }
""","""    func add(
        _ additions: [TargetPath: TargetDescription], renewing: Bool = false
    ) throws(Failure) -> JSON {
        try Self.untilFastest { () throws(Failure) in try propose(additions, renewing) }
    }
""")
sub(Q,"""    /// Adds the targets, signs, posts; on a conflict it starts again from what has become live.
    ///
    /// - Returns""","""    /// Adds the targets, signs, posts; on a conflict it starts again from what has become live.
    ///
    /// - Parameters:
    ///   - additions: targets that are new, or live with the same bytes.
    ///   - renewing: whether to sign anew where all of them are live.
    /// - Returns""")
sub(Q,"""    private func propose(_ additions: [TargetPath: TargetDescription]) throws(Failure) -> JSON {
""","""    private func propose(
        _ additions: [TargetPath: TargetDescription], _ isRenewing: Bool
    ) throws(Failure) -> JSON {
""")
sub(Q,"""        if let live, live.progress""","""        if !isRenewing, let live, live.progress""")
