import ArgumentParser
import Console

/// The ceremony and its upkeep: `fieldfare repo`.
struct RepositoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Keeps the repository's keys and roles.",
        discussion: """
            The folder of a ceremony holds root.json and targets.json while they are signed, and the versions that \
            they follow. Take it to each signer, then push it to the registry.

            EXAMPLE
              fieldfare repo sign root --dir repo --key root-a.json
              fieldfare repo push --dir repo
              fieldfare repo status
            """,
        subcommands: [
            RepositoryInitialise.self, RepositoryAddModel.self, RepositorySign.self,
            RepositoryPush.self, RepositoryStatus.self, RepositoryVerify.self,
            RepositoryRotate.self, RepositoryRenew.self, RepositoryWithdraw.self,
        ])
}
