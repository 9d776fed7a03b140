import ArgumentParser
import Console
import Primitives
import TUF

/// `fieldfare repo status`: who has signed, what is missing, what expires when.
struct RepositoryStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows who has signed, what is missing, what expires when.",
        discussion: """
            EXAMPLE
              fieldfare repo status
              fieldfare repo status --dir repo
            """)

    @Option(help: "The folder of a ceremony; without it, the registry is asked.")
    var dir: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if let dir { return try show(ceremony: CeremonyFolder(path: dir)) }
        let answer = try server.api().get("/v1/roles")
        guard !output.isJSON else { return Output.json(answer) }
        var table = Table(["role", "version", "expires", "signatures"])
        for role in answer["roles"]?.array ?? [] {
            let proposal = role["proposal"]?["missing"]?.integer.map { "proposal: \($0) missing" }
            table.add([
                role["role"]?.string ?? "",
                role["live"]?["version"]?.integer.map { "\($0)" } ?? "-",
                role["live"]?["expires"]?.string ?? "-", proposal ?? "no proposal",
            ])
        }
        show(table)
    }

    private func show(ceremony: CeremonyFolder) throws(Failure) {
        var table = Table(["role", "version", "expires", "signatures"])
        var roles: [JSON] = []
        for role in [RoleName.root, .targets] {
            let standing = try ceremony.standing(of: role)
            table.add([
                "\(role)", "\(standing.version)", "\(standing.expires)",
                "\(standing.signedBy) of \(standing.threshold)",
            ])
            roles.append([
                "role": .string(role.description), "version": .integer(standing.version.number),
                "expires": .string(standing.expires.description),
                "signatures": .integer(Int64(standing.signedBy)),
                "threshold": .integer(Int64(standing.threshold)),
            ])
        }
        guard !output.isJSON else {
            return Output.json(["type": "ceremony", "roles": .array(roles)])
        }
        show(table)
    }

    private func show(_ table: Table) {
        for line in table.lines { Output.line(line) }
    }
}
