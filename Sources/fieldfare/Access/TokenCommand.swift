import ArgumentParser
import Console
import CurlTransport
import Primitives
import RegistryAccess

/// Tokens of people and programs: `fieldfare token`.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and revokes tokens.",
        discussion: """
            EXAMPLE
              fieldfare token create --name ci --scope publish:commands-en
              fieldfare token list
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token, and shows it once.",
            discussion: """
                EXAMPLE
                  fieldfare token create --name ci --scope publish:commands-en
                """)

        @Option(help: "What people call it.")
        var name: String

        @Option(
            help:
                "publish, sign, operate, read or admin, and optionally ':' and a model; may be repeated."
        )
        var scope: [String]

        @Option(help: "Seconds until it expires; without it, never.")
        var expires: Int64?

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            var request: JSONObject = [
                "name": .string(name), "scopes": .array(scope.map { .string($0) }),
            ]
            request["expires_s"] = expires.map { .integer($0) }
            let answer = try server.api().post("/v1/tokens", .object(request))
            guard !output.isJSON else { return Output.json(answer) }
            Output.line(answer["token"]?.string ?? "")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the tokens.",
            discussion: """
                EXAMPLE
                  fieldfare token list
                """)

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let answer = try server.api().get("/v1/tokens")
            guard !output.isJSON else { return Output.json(answer) }
            var table = Table(["id", "name", "scopes", "expires"])
            for token in answer["tokens"]?.array ?? [] {
                let scopes = token["scopes"]?.array?.compactMap(\.string) ?? []
                table.add([
                    token["id"]?.string ?? "?", token["name"]?.string ?? "?",
                    scopes.joined(separator: " "), token["expires"]?.string ?? "never",
                ])
            }
            for line in table.lines { Output.line(line) }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a token, at once.",
            discussion: """
                EXAMPLE
                  fieldfare token revoke 5d0f1c2b3a495867
                """)

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let id = try Word.token(id)
            let answer = try server.api().send(.delete, "/v1/tokens/\(id)").json()
            if output.isJSON { Output.json(answer) } else { Output.line("\(id): revoked") }
        }
    }
}

/// `fieldfare audit`: what was done, by whom, and why.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Shows the audit log.",
        discussion: """
            The newest records, oldest of them first; with --after those that follow a number. A line says number, time, \
            who, what and of what; --json has the facts, such as the evidence of a decision.

            EXAMPLE
              fieldfare audit --limit 20
              fieldfare audit --after 1200 --json
            """)

    @Option(help: "Only records after this number, oldest first.")
    var after: Int64?

    @Option(help: "How many at the most.")
    var limit: Int64 = 100

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if let after, after < 0 {
            throw Failure(.usage, "--after: expected 0 or more, got \(after)")
        }
        guard (1...1_000).contains(limit) else {
            throw Failure(.usage, "--limit: expected 1 to 1000, got \(limit)")
        }
        let api = try server.api()
        let records =
            if let after { try Self.page(of: api, after: after, limit: limit) } else {
                try newest(of: api)
            }
        for record in records {
            guard !output.isJSON else {
                var fields = record.object ?? [:]
                fields["type"] = "audit_record"
                Output.json(.object(fields))
                continue
            }
            let at = UTCTime(clamping: record["at"]?.integer ?? 0)
            let number = record["number"]?.integer ?? 0
            let actor = record["actor"]
            let who = actor?["name"]?.string ?? actor?["id"]?.string ?? actor?["kind"]?.string
            let words = [who, record["event"]?.string, record["subject"]?.string]
            Output.line("\(number)  \(at)  \(words.map { $0 ?? "?" }.joined(separator: "  "))")
        }
    }

    private static func page(
        of api: RegistryAPI, after: Int64, limit: Int64
    ) throws(Failure) -> [JSON] {
        try api.get("/v1/audit?after=\(after)&limit=\(limit)")["records"]?.array ?? []
    }

    private func newest(of api: RegistryAPI) throws(Failure) -> [JSON] {
        var newest: [JSON] = []
        while true {
            let reached = newest.last?["number"]?.integer ?? 0
            let page = try Self.page(of: api, after: reached, limit: 1_000)
            newest = (newest + page).suffix(Int(limit))
            guard page.count == 1_000, newest.last?["number"]?.integer ?? 0 > reached else {
                return newest
            }
        }
    }
}
