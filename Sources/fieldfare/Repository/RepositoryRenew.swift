import ArgumentParser
import Console
import Primitives
import TUF

/// `fieldfare repo renew`: the next root and targets, which say the same and live longer.
struct RepositoryRenew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Stages root and targets with a later end.",
        discussion: """
            Nothing else changes. They are staged in the folder, from what it has or else the registry publishes, and it \
            is said who must sign them: 'fieldfare repo sign', then 'fieldfare repo push'. A model's own metadata is \
            renewed with 'fieldfare publish --renew'.

            EXAMPLE
              fieldfare repo renew --dir ceremony --days 365
            """)

    @Argument(help: "root or targets; both where none is named.")
    var role: [String] = []

    @OptionGroup var options: FolderOptions

    func run() throws {
        var roles: [RoleName] = []
        for text in role {
            guard let role = RoleName(text), [.root, .targets].contains(role) else {
                throw Failure(.usage, "role: expected root or targets, got '\(text)'")
            }
            roles.append(role)
        }
        let expires = try options.stage.expires()
        let staged = try options.roles()
        let saved = try staged.save(
            staged.revision, renewing: roles.isEmpty ? [.root, .targets] : roles, expires: expires)
        try RoleStage.tell(saved, in: options.folder, options.output)
    }
}
