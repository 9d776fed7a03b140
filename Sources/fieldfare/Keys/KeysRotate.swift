import ArgumentParser
import Console
import Cryptography
import Primitives
import TUF

/// `fieldfare keys rotate`: new keys in the place of old ones, staged to be signed.
struct KeysRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Stages metadata with a new key in the place of an old one.",
        discussion: """
            A key of root, targets, snapshot or timestamp needs the next root, one of model.<model> or plans.<model> \
            the next targets. They are staged in the folder, from what it has or else the registry publishes, and it is \
            said who must sign them: 'fieldfare repo sign', then 'fieldfare repo push'. A version that has not all its \
            signatures takes further changes, so several keys can go in one.

            A next root needs the signatures of both thresholds: that of the root before, and its own. With --online all \
            keys of a registry change at once: give it what 'fieldfare-registry keys generate' printed.

            Exits with 10 where no role has the old key, or the new one has another duty.

            EXAMPLE
              fieldfare keys rotate keys/release-anna.json keys/release-new.json --dir ceremony
              fieldfare keys rotate --online new-online.json --dir ceremony
            """)

    @Argument(help: "The old key: a key file, a public key or a key id.")
    var old: String?

    @Argument(help: "The new key: a key file or a public key.")
    var new: String?

    @Option(help: "A registry's new keys: what 'fieldfare-registry keys generate' printed.")
    var online: String?

    @OptionGroup var change: KeyChange

    func run() throws {
        guard (online == nil) == (new != nil), online == nil || (old == nil && change.role.isEmpty)
        else {
            throw Failure(
                .usage, "keys rotate: expected an old and a new key, or --online, got another mix")
        }
        try change.run { (revision, roles) throws(Failure) in
            if let online {
                return try Self.replaceAll(with: try OnlinePublicKeys(file: online), in: &revision)
            }
            let old = try KeyArgument(text: old ?? "").known(in: revision)
            let new = try KeyArgument(text: new ?? "").new()
            return try Failure.revising { () throws(RevisionError) in
                try revision.replace(old, with: new, in: roles)
            }
        }
    }

    private static func replaceAll(
        with keys: OnlinePublicKeys, in revision: inout RepositoryRevision
    ) throws(Failure) -> [RoleName] {
        let delegated = revision.targets.delegations?.roles.map(\.name) ?? []
        let plans = delegated.filter { $0.kind == .plans }.map { ($0, keys.plans) }
        var changed: [RoleName] = []
        for (role, key) in [(.snapshot, keys.snapshot), (.timestamp, keys.timestamp)] + plans {
            let isNew = try Failure.revising { () throws(RevisionError) in
                try revision.setKeys(of: role, to: [key])
            }
            if isNew { changed.append(role) }
        }
        guard !changed.isEmpty else {
            throw Failure(
                .refused, "online keys: expected new ones, got those that the repository has")
        }
        return changed
    }
}

/// `fieldfare keys revoke`: metadata without a key, staged to be signed.
struct KeysRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Stages metadata without a key.",
        discussion: """
            As 'fieldfare keys rotate', with no key in the place of the old one. The thresholds stay, and a role must \
            keep as many keys as its threshold asks for.

            Exits with 10 where no role has the key, or too few would be left.

            EXAMPLE
              fieldfare keys revoke keys/root-c.json --dir ceremony
            """)

    @Argument(help: "The key: a key file, a public key or a key id.")
    var key: String

    @OptionGroup var change: KeyChange

    func run() throws {
        try change.run { (revision, roles) throws(Failure) in
            let key = try KeyArgument(text: key).known(in: revision)
            return try Failure.revising { () throws(RevisionError) in
                try revision.remove(key, from: roles)
            }
        }
    }
}

/// What rotating and revoking share: from the folder, through a change, back into the folder.
struct KeyChange: ParsableArguments {
    @Option(help: "A role to do it in, otherwise all that the key may sign; may be repeated.")
    var role: [String] = []

    @OptionGroup var options: FolderOptions

    func run(
        _ change: (inout RepositoryRevision, [RoleName]) throws(Failure) -> [RoleName]
    ) throws(Failure) {
        var only: [RoleName] = []
        for text in role {
            guard let role = RoleName(text), role.kind != nil else {
                throw Failure(
                    .usage,
                    "--role: expected root, targets, snapshot, timestamp, model.<model> "
                        + "or plans.<model>, got '\(text)'")
            }
            only.append(role)
        }
        let expires = try options.stage.expires()
        let staged = try options.roles()
        var revision = staged.revision
        let changed = try change(&revision, only)
        let saved = try staged.save(revision, expires: expires)
        try RoleStage.tell(saved, in: options.folder, options.output)
        for role in changed where role.kind == .release {
            Output.note(
                "\(role): devices need its file signed by its keys of then; once this is live, publish its newest bundle again"
            )
        }
    }
}
