import ArgumentParser
import Console
import Cryptography
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
        var table = Self.table()
        var signatures: [String] = []
        for role in answer["roles"]?.array ?? [] {
            let name = role["role"]?.string ?? ""
            let missing = role["proposal"]?["missing"]?.integer.map { "proposal: \($0) missing" }
            table.add([
                name, role["live"]?["version"]?.integer.map { "\($0)" } ?? "-",
                role["live"]?["expires"]?.string ?? "-", missing ?? "no proposal",
            ])
            guard let proposal = role["proposal"], missing != nil else { continue }
            let signed = proposal["signed_by"]?.array?.compactMap(\.string) ?? []
            let all = role["keyids"]?.array?.compactMap(\.string) ?? []
            signatures.append("\(name), proposal of version \(proposal["version"]?.integer ?? 0)")
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
                "\(role)", "\(standing.version)", "\(standing.expires)",
                "\(standing.signedBy) of \(standing.threshold)",
            ])
            for (root, progress) in standing.all {
                signatures.append(
                    "\(role) \(standing.version), by root \(root): \(progress.signedBy.count) of \(progress.threshold)"
                )
                signatures += Self.lines(
                    progress.signedBy.map(\.description), progress.waitingFor.map(\.description))
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
        signed.map { "  signed    \($0)" } + waiting.map { "  can sign  \($0)" }
    }

    private func show(_ table: Table, _ signatures: [String]) {
        for line in table.lines + signatures { Output.line(line) }
    }
}
