import Foundation
import ProgramTestSupport
import TestSupport
import Testing
import Yams

/// The committed Prometheus configuration and rules, by promtool and against a running registry.
@Suite struct PrometheusTests {
    private let folder = "deploy/prometheus"

    @Test func `passes promtool check config`() throws {
        let outcome = try promtool([
            "check", "config", Project.file("\(folder)/prometheus.yml").path,
        ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("\(try rules().count) rules found"))
    }

    @Test func `passes promtool check rules, which notices a misspelt function`() throws {
        let good = try promtool([
            "check", "rules", Project.file("\(folder)/fieldfare.rules.yml").path,
        ])
        #expect(good.status == 0, "\(good.output)\(good.errors)")
        #expect(good.output.contains("SUCCESS: \(try rules().count) rules found"))

        let scratch = try rulesUnderTest { text in
            text.replacingOccurrences(of: "time()", with: "tyme()")
        }
        let damaged = try promtool(["check", "rules", scratch.path("fieldfare.rules.yml")])
        #expect(damaged.status != 0)
        #expect((damaged.output + damaged.errors).contains("tyme"))
    }

    @Test func `fires each rule when it should, and not before`() throws {
        let scratch = try rulesUnderTest()
        let outcome = try promtool(
            ["test", "rules", scratch.path("fieldfare.rules.test.yml")])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")

        let tested = try Project.text("Tests/DeploymentTests/prometheus/fieldfare.rules.test.yml")
            .components(separatedBy: "exp_alerts:\n").dropLast()
            .compactMap { $0.components(separatedBy: "alertname: ").last?.prefix { $0.isLetter } }
            .map(String.init)
        #expect(Set(tested) == Set(try rules().map(\.alert)), "an alert that no test sees fire")
    }

    @Test func `would notice a rule that fires too late`() throws {
        let scratch = try rulesUnderTest { text in
            text.replacingOccurrences(of: "for: 24h", with: "for: 48h")
        }
        let outcome = try promtool(
            ["test", "rules", scratch.path("fieldfare.rules.test.yml")])
        #expect(outcome.status != 0)
        #expect((outcome.output + outcome.errors).contains("FieldfareProposalWaits"))
    }

    @Test func `names only metrics that the running registry shows`() throws {
        let site = try Site()
        let shown = try Exchange(site.backend + "/metrics")
        #expect(shown.headers["content-type"]?.hasPrefix("text/plain") == true)
        let named = Set(
            try rules().flatMap { rule in
                rule.expression.matches(of: /fieldfare_[a-z_]+/).map { String($0.output) }
            })
        #expect(named.count >= 8)
        for metric in named.sorted() {
            #expect(
                shown.text.contains("\n\(metric){") || shown.text.contains("\n\(metric) "),
                "'\(metric)': expected a sample in /metrics, got none")
        }
        let checked = try registryMetrics(shown)
        #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
    }

    @Test func `leads from each rule to a runbook`() throws {
        let headings = ["## Meaning", "## Look at", "## Do", "## Afterwards"]
        let index = try Project.text("docs/runbooks/README.md")
        for rule in try rules() {
            let page = try Project.text(rule.runbook)
            let lines = page.split(separator: "\n").map(String.init)
            #expect(
                lines.filter { $0.hasPrefix("## ") } == headings, "\(rule.runbook)")
            #expect(page.contains("`\(rule.alert)`"), "\(rule.runbook) names its alert")
        }
        for name in try Project.names(in: "docs/runbooks") where name != "README.md" {
            #expect(index.contains("(\(name))"), "'\(name)' is not in the index")
        }
    }

    /// What a rule says.
    private struct Rule {
        let alert: String
        let expression: String
        let runbook: String
    }

    private func rules() throws -> [Rule] {
        let file = try #require(
            try Yams.load(yaml: Project.text("\(folder)/fieldfare.rules.yml")) as? [String: Any])
        let groups = try #require(file["groups"] as? [[String: Any]])
        return try groups.flatMap { try #require($0["rules"] as? [[String: Any]]) }.map { rule in
            let notes = try #require(rule["annotations"] as? [String: String])
            return Rule(
                alert: try #require(rule["alert"] as? String),
                expression: try #require(rule["expr"] as? String),
                runbook: try #require(notes["runbook"]))
        }
    }

    /// The rules beside their tests, as promtool wants them.
    private func rulesUnderTest(
        _ change: (String) -> String = { $0 }
    ) throws -> ScratchFolder {
        let scratch = ScratchFolder("rules")
        for (name, text) in [
            ("fieldfare.rules.yml", change(try Project.text("\(folder)/fieldfare.rules.yml"))),
            (
                "fieldfare.rules.test.yml",
                try Project.text("Tests/DeploymentTests/prometheus/fieldfare.rules.test.yml")
            ),
        ] {
            try text.write(toFile: scratch.path(name), atomically: true, encoding: .utf8)
        }
        return scratch
    }

    private func promtool(_ arguments: [String]) throws -> Programs.Outcome {
        try Programs().run(
            "/usr/bin/promtool", arguments, in: FileManager.default.temporaryDirectory)
    }

    /// Prometheus's own reader of the text format, and its conventions for names.
    private func registryMetrics(_ shown: Exchange) throws -> Programs.Outcome {
        let scratch = ScratchFolder("metrics")
        try shown.text.write(toFile: scratch.path("shown"), atomically: true, encoding: .utf8)
        return try Programs().run(
            "/bin/sh", ["-c", "promtool check metrics < shown"],
            in: URL(fileURLWithPath: scratch.path))
    }
}
