import ArgumentParser
import Console

/// The ceremony and its upkeep: `fieldfare repo`.
struct RepositoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Keeps the repository's keys and roles.",
        discussion: """
            The folder of a ceremony holds root.json and targets.json while they are signed. Take it to each signer, \
            then push it to a registry that has none yet.

            EXAMPLE
              fieldfare repo sign root --dir repo --key root-a.json
              fieldfare repo push --dir repo
              fieldfare repo status
            """,
        subcommands: [
            RepositoryInitialise.self, RepositorySign.self, RepositoryPush.self,
            RepositoryStatus.self, RepositoryVerify.self,
        ])
}
