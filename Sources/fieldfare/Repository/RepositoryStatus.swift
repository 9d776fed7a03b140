import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo status`: who has signed, what is missing, what expires when.
struct RepositoryStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows who has signed, what is missing, what expires when.",
        discussion: """
            Of the registry each role is shown with the keys of today that have signed what is live and what is proposed, \
            and with those that still can, where signatures are missing. It is the registry's word: 'fieldfare repo verify' \
            does not take it.

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
        let now = SystemClock.now()
        let answer = try server.api().get("/v1/roles")
        guard !output.isJSON else { return Output.json(answer) }
        var table = Self.table()
        var signatures: [String] = []
        for role in answer["roles"]?.array ?? [] {
            let name = role["role"]?.string ?? ""
            let keys = Self.texts(role["keyids"])
            let threshold = role["threshold"]?.integer ?? 1
            var cells = [name, "-", "-"]
            var standing: [String] = []
            if let live = role["live"], let version = live["version"]?.integer {
                let signed = Self.texts(live["signed_by"])
                let isShort = Int64(signed.count) < threshold
                cells[1] = "\(version)"
                cells[2] = Self.moment(live["expires"]?.string ?? "-", now)
                standing.append("\(signed.count) of \(threshold)")
                signatures.append("\(name) \(version)")
                signatures += Self.lines(
                    signed, isShort ? keys.filter { !signed.contains($0) } : [])
            }
            if let proposal = role["proposal"], let version = proposal["version"]?.integer {
                let signed = Self.texts(proposal["signed_by"])
                standing.append("proposal: \(proposal["missing"]?.integer ?? 0) missing")
                signatures.append("\(name), proposal of version \(version)")
                signatures += Self.lines(signed, keys.filter { !signed.contains($0) })
            }
            table.add(cells + [standing.isEmpty ? "-" : standing.joined(separator: "; ")])
        }
        show(table, signatures)
    }

    private static func texts(_ json: JSON?) -> [String] { json?.array?.compactMap(\.string) ?? [] }

    /// When it expires, and whether it has.
    private static func moment(_ text: String, _ now: UTCTime) -> String {
        UTCTime(iso8601: text).map { $0 <= now } == true ? "\(text), expired" : text
    }

    private func show(ceremony: CeremonyFolder) throws(Failure) {
        var table = Self.table()
        var signatures: [String] = []
        var roles: [JSON] = []
        for role in [RoleName.root, .targets] {
            let standing = try ceremony.standing(of: role)
            table.add([
                "\(role)", "\(standing.version)",
                Self.moment("\(standing.expires)", SystemClock.now()),
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
