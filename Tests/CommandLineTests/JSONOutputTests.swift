import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import Testing

/// `docs/cli-json.md` against what the commands print: the fields documented are the fields printed, both ways.
@Suite struct JSONOutputTests {
    @Test func `prints what the page says, for every command`() throws {
        let page = try JSONPage("fieldfare")
        let registry = try RegistryUnderTest()
        try registry.holdCeremony()
        try registry.start()
        var seen: Set<JSONPage.Row> = []
        for run in try Self.runs(registry) {
            let words = run.line().split(separator: " ").map(String.init)
            let outcome = try registry.cli(words + ["--json"], with: run.variables)
            #expect(outcome.status == run.status, "\(words): \(outcome.errors)")
            let lines = outcome.output.split(separator: "\n")
            #expect(!lines.isEmpty, "\(words)")
            for line in lines {
                seen.formUnion(try page.check(line, of: words))
            }
            try run.after(outcome)
        }
        let untried = page.rows.subtracting(seen).map { "\($0.type) from \($0.commands)" }
        #expect(untried.isEmpty, "documented, and never printed")
    }

    @Test func `the registry's program prints what the page says`() throws {
        let page = try JSONPage("fieldfare-registry")
        let registry = try RegistryUnderTest.running()
        var seen = try page.check(
            #"{"type":"listening","port":\#(registry.port)}"#, of: ["serve"])
        for words in [
            ["config", "check", "--data", "x", "--keys", "y", "--plain"],
            ["config", "check", "--config", Project.file("deploy/config/registry.json").path]
                + ["--data", "x", "--keys", "y"],
            ["keys", "generate", "--keys", "more-keys"],
            ["token", "create", "--data", "data", "--scope", "read"],
            ["audit", "verify", "--data", "data"],
        ] {
            let outcome = try registry.programs.run(
                "fieldfare-registry", words, in: registry.folder)
            #expect(outcome.status == 0, "\(words): \(outcome.errors)")
            #expect(outcome.output.split(separator: "\n").count == 1)
            seen.formUnion(try page.check(Substring(outcome.output), of: words))
        }
        #expect(page.rows.subtracting(seen).isEmpty)
    }

    /// One command line, and what to do with what it printed.
    struct Run {
        let line: () -> String
        var status: Int32 = 0
        var variables: [String: String] = [:]
        var after: (Programs.Outcome) throws -> Void = { _ in }

        init(
            _ line: @escaping @autoclosure () -> String, status: Int32 = 0,
            with variables: [String: String] = [:],
            after: @escaping (Programs.Outcome) throws -> Void = { _ in }
        ) {
            self.line = line
            self.status = status
            self.variables = variables
            self.after = after
        }
    }

    private static func runs(_ registry: RegistryUnderTest) throws -> [Run] {
        try registry.writeBundle()
        let policy = registry.folder.appendingPathComponent("rollout.yaml")
        let stages = "\nstages: [{name: beta}, {name: stable, promote: signed}]\nmax_pins: 1\n"
        try (String(contentsOf: policy, encoding: .utf8) + stages)
            .write(to: policy, atomically: true, encoding: .utf8)
        let model = try #require(ModelName("commands-en"))
        let device = TestDevice("json", model: model)
        let show = "devices show \(device.id)"
        var revoked = ""
        let local: [Run] = [
            Run("keys generate new --out more"), Run("keys show more/new.json"),
            Run("keys list --dir keys"),
            Run(
                "keys external hsm --public 58\(String(repeating: "66", count: 31)) --out more /bin/true"
            ), Run("bundle init my-model"),
            Run("policy init --model my-model --version 1.0.0 --out other.yaml"),
            Run("bundle check bundle"), Run("bundle check my-model", status: 1),
            Run("bundle build bundle --out build"), Run("bundle inspect build"),
            Run("rollout simulate rollout.yaml --synthetic --devices 60 --cohorts 1 --replays 1"),
            Run("bundle verify build"), Run("policy check rollout.yaml --bundle build"),
            Run(
                "repo init --dir second --root-key keys/root-a.json --root-threshold 1 "
                    + "--targets-key keys/targets.json --online online.json --model two "
                    + "--release-key keys/ci.json"),
            Run("repo sign root --dir second --key keys/root-a.json --yes"),
            Run("repo status --dir second"),
            Run("repo rotate --simulate --dir second", status: 10),
            Run("repo add-model three --dir second --release-key keys/ci.json"),
            Run("keys rotate keys/ci.json keys/anna.json --dir second"),
            Run("keys revoke keys/root-a.json --dir second", status: 10),
            Run("repo renew --dir second"),
        ]
        let publishing: [Run] = [
            Run("repo push --dir repo"),
            Run("publish build --key keys/ci.json --policy rollout.yaml"),
            Run("repo status"), Run("repo withdraw model.commands-en"),
            Run("publish build --key keys/ci.json --policy rollout.yaml"),
            Run("repo sign model.commands-en --key keys/anna.json --yes"),
            Run("policy approve commands-en 1.0.0 --stage stable --key keys/ci.json"),
            Run("policy lift commands-en 1.0.0 --key keys/ci.json"),
            Run("policy sign fast=rollout.yaml --model commands-en --key keys/ci.json"),
            Run("repo verify"),
            Run("repo rotate --simulate"),
            Run("repo add-model two --release-key keys/ci.json --key keys/targets.json"),
            Run("keys revoke keys/root-c.json --dir away"),
        ]
        let rollouts =
            ["create commands-en 1.0.0 --initial"]
            + ["rehearse", "start", "pause", "resume", "freeze", "release", "plan", "pins"].map {
                "\($0) commands-en"
            } + [
                "exclude commands-en --region eu", "include commands-en --region eu",
                "pin commands-en \(device.id) 1.0.0 --owner a --reason b",
                "unpin commands-en \(device.id)", "rollback commands-en --leave-no-model",
                "status commands-en", "status",
            ]
        let enrolling: [Run] = [
            Run("devices enrol-tokens --count 1") { outcome in
                let tokens = try #require(outcome.json["tokens"] as? [String])
                let body = device.enrolment(token: try #require(tokens.first))
                let made = try registry.request(
                    "/v1/devices", method: "POST", body: Data(body.bytes))
                try #require(made.status == 201, "\(made.text)")
            }
        ]
        let fleet: [Run] = [
            Run("devices list"), Run(show), Run("explain \(device.id) --model commands-en"),
            Run("token create --name x --scope read") { outcome in
                revoked = try #require(outcome.json["id"] as? String)
            }, Run("token list"), Run("token revoke \(revoked)"),
            Run("devices revoke \(device.id) --reason sold"), Run("audit --limit 5"),
            Run("rollout start no-such-model", status: 1),
            Run("repo status", status: 12, with: ["FIELDFARE_SERVER": "https://127.0.0.1:1"]),
        ]
        return local + publishing + enrolling + rollouts.map { Run("rollout \($0)") } + fleet
    }
}

/// The table of one program in `docs/cli-json.md`.
struct JSONPage {
    struct Row: Hashable {
        let type: String
        let commands: [String]
        let fields: Set<String>
        let optional: Set<String>
    }

    let rows: Set<Row>

    init(_ program: String, leastRows: Int = 5) throws {
        let text = try Project.text("docs/cli-json.md")
        let part = try #require(text.components(separatedBy: "## `\(program)`\n").dropFirst().first)
        let table = part.components(separatedBy: "\n## ")[0]
        rows = Set(
            table.split(separator: "\n").filter { $0.hasPrefix("| `") && !$0.hasPrefix("| `type`") }
                .map { line in
                    let cells = line.split(separator: "|").map { String($0) }
                    let names = Self.quoted(Self.withoutExplanations(cells[2]))
                    return Row(
                        type: Self.quoted(cells[0])[0],
                        commands: cells[1].contains(" any ") ? ["any"] : Self.quoted(cells[1]),
                        fields: Set(names.filter { !$0.hasSuffix("?") }),
                        optional: Set(
                            names.filter { $0.hasSuffix("?") }.map { String($0.dropLast()) }))
                })
        try #require(rows.count >= leastRows)
    }

    /// Compares one printed line with its row.
    ///
    /// - Returns: the row, where there is one.
    func check(_ line: Substring, of words: [String]) throws -> Set<Row> {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        let type = try #require(object["type"] as? String, "\(line)")
        let command = words.joined(separator: " ")
        let row = rows.first { row in
            row.type == type
                && (row.commands == ["any"]
                    || row.commands.contains { name in
                        let parts = name.split(separator: " ").map(String.init)
                        return parts.filter { !$0.hasPrefix("-") }
                            == Array(words.prefix(parts.count { !$0.hasPrefix("-") }))
                            && parts.filter { $0.hasPrefix("-") }.allSatisfy(words.contains)
                    })
        }
        guard let row else {
            Issue.record("'\(command)' prints a '\(type)', which the page does not know")
            return []
        }
        let printed = Set(object.keys).subtracting(["type"])
        #expect(
            row.fields.subtracting(printed).isEmpty,
            "'\(command)' does not print what is documented")
        #expect(
            printed.subtracting(row.fields).subtracting(row.optional).isEmpty,
            "'\(command)' prints what is not documented")
        return [row]
    }

    /// What stands in parentheses or after a colon explains the field before it.
    private static func withoutExplanations(_ cell: String) -> String {
        let plain = cell.replacingOccurrences(
            of: #"\([^)]*\)"#, with: "", options: .regularExpression)
        return plain.components(separatedBy: "`: ")[0]
            + (plain.contains("`: ") ? "`" : "")
    }

    private static func quoted(_ cell: String) -> [String] {
        cell.matches(of: /`([^`]+)`/).map { String($0.1) }
    }
}
