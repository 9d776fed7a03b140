import ArgumentParser
import Console
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo rotate --simulate`: whether every device still gets to the newest root, and on to targets.
struct RepositoryRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Walks the chain of roots as devices will.",
        discussion: """
            For each root version that a device may still hold, from the first to the one before the newest and the \
            newest itself, the client that devices run starts with that root and an empty memory. With --dir it walks \
            the folder's chain, signed or not yet, and judges its targets by the newest root; timestamp and snapshot \
            are signed by the registry after the push, and are not looked at. Without, it refreshes from the registry.

            Exits with 10 where any device would be refused. Keys are exchanged with 'fieldfare keys rotate'.

            EXAMPLE
              fieldfare repo rotate --simulate --dir ceremony
            """)

    @Flag(help: "Walk, and change nothing; there is no other way.")
    var simulate = false

    @Option(help: "The folder of a ceremony; without it, what the registry publishes is walked.")
    var dir: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        guard simulate else {
            throw Failure(
                .usage, "repo rotate: expected --simulate, got nothing",
                hint: "to exchange a key, 'fieldfare keys rotate OLD NEW --dir DIR'")
        }
        let walker =
            if let dir { try RootWalker(CeremonyFolder(path: dir)) } else {
                try RootWalker(published: try server.api())
            }
        var refused: [RootWalk] = []
        for version in walker.versions {
            let walk = try walker.walk(from: version)
            tell(walk)
            if walk.reason != nil { refused.append(walk) }
        }
        guard refused.isEmpty else {
            let lines = refused.map { "  from root \($0.start): \($0.reason ?? "")" }
            throw Failure(
                .refused,
                (["devices: expected each to reach root \(walker.newest) and targets, got refusals"]
                    + lines).joined(separator: "\n"),
                hint: dir.map {
                    "what still has to be signed, 'fieldfare repo status --dir \($0)' says"
                })
        }
    }

    private func tell(_ walk: RootWalk) {
        guard output.isJSON else {
            let end = walk.targets.map { "root \(walk.reached), targets \($0)" }
            Output.line("from root \(walk.start): \(end ?? "refused at root \(walk.reached)")")
            return
        }
        var fields: JSONObject = [
            "type": "walk", "from": .integer(walk.start.number),
            "root": .integer(walk.reached.number),
            "state": walk.reason == nil ? "good" : "refused",
        ]
        if let targets = walk.targets { fields["targets"] = .integer(targets.number) }
        if let reason = walk.reason { fields["reason"] = .string(reason) }
        Output.json(.object(fields))
    }
}
