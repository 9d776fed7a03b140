import ArgumentParser
import Console

/// The command `fieldfare-registry config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks a configuration.",
        discussion: """
            EXAMPLE
              fieldfare-registry config check --config /etc/fieldfare/registry.json
            """,
        subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what the registry would run with, or everything that is wrong.",
            discussion: """
                EXAMPLE
                  fieldfare-registry config check --config /etc/fieldfare/registry.json
                """)

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            Output.json(try options.settings().json)
        }
    }
}
