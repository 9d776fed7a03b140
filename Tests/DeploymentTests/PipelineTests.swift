import Foundation
import ProgramTestSupport
import Testing
import Yams

/// The example pipelines: their own shell lines, taken out of the YAML, publish from a git checkout.
///
/// What the services add (runners, images, protected variables) and the libraries that are installed first are
/// not here. `EndToEndTests` runs publish.sh by itself.
@Suite struct PipelineTests {
    @Test func `publishes by the very steps of both pipelines`() throws {
        let site = try Site()
        let registry = site.registry
        try checkOut(registry)
        for step in [try gitHubStep(), try gitLabStep()] {
            let outcome = try registry.programs.run(
                "/bin/bash", ["-e", "-c", step.script],
                in: registry.folder.appendingPathComponent("checkout"),
                environment: try variables(of: step, in: registry))
            #expect(outcome.status == 0, "\(step.script): \(outcome.errors)")
            #expect(outcome.json["summary"] as? String == "held: 1 of 2 signatures")
            #expect(outcome.output.contains(#""type":"bundle_check""#))
            #expect(outcome.output.contains(#""state":"good","type":"policy""#))
        }
        let built = try registry.good("bundle", "inspect", "checkout/build", "--json")
        #expect(built.json["model"] as? String == "commands-en")
    }

    @Test(arguments: ["FIELDFARE_SERVER", "FIELDFARE_TOKEN", "FIELDFARE_ROOT", "FIELDFARE_KEY"])
    func `says which variable is missing`(missing: String) throws {
        var variables = [
            "FIELDFARE_SERVER": "https://127.0.0.1:1", "FIELDFARE_TOKEN": "x",
            "FIELDFARE_ROOT": "x",
            "FIELDFARE_KEY": "x",
        ]
        variables[missing] = nil
        let outcome = try Programs().run(
            Project.file("deploy/ci/publish.sh").path, ["bundle", "build"],
            in: FileManager.default.temporaryDirectory, environment: variables)
        #expect(outcome.status != 0 && outcome.errors.contains(missing))
        #expect(outcome.output.isEmpty)
    }

    @Test func `ends with 2 and its usage where a folder is missing`() throws {
        let outcome = try Programs().run(
            Project.file("deploy/ci/publish.sh").path, ["bundle"],
            in: FileManager.default.temporaryDirectory,
            environment: [
                "FIELDFARE_SERVER": "x", "FIELDFARE_TOKEN": "x", "FIELDFARE_ROOT": "x",
                "FIELDFARE_KEY": "x",
            ])
        #expect(outcome.status == 2 && outcome.errors.hasPrefix("usage: publish.sh"))
    }

    /// The lines that publish, and the variables that the pipeline's file sets or names for them.
    private struct Step {
        let script: String
        /// Those whose value stands in the file.
        let own: [String: String]
        /// Those that the service knows: secrets, protected variables.
        let fromService: Set<String>
    }

    private func gitHubStep() throws -> Step {
        let file = try yaml("deploy/ci/github-actions.yml")
        let jobs = try #require(file["jobs"] as? [String: Any])
        let job = try #require(jobs["publish"] as? [String: Any])
        let steps = try #require(job["steps"] as? [[String: Any]])
        for step in steps {
            guard let action = step["uses"] as? String else { continue }
            #expect(action.contains(/@[0-9a-f]{40}$/), "\(action) is pinned to a commit")
        }
        let step = try #require(steps.last)
        let variables = try #require(step["env"] as? [String: String])
        let own = variables.filter { !$0.value.hasPrefix("${{") }
        for (name, value) in variables where own[name] == nil {
            #expect(value.contains(name), "\(name) comes from a variable of its own name")
        }
        return Step(
            script: try #require(step["run"] as? String), own: own,
            fromService: Set(variables.keys).subtracting(own.keys))
    }

    private func gitLabStep() throws -> Step {
        let text = try Project.text("deploy/ci/gitlab-ci.yml")
        let file = try yaml("deploy/ci/gitlab-ci.yml")
        let job = try #require(file["publish-speech-model"] as? [String: Any])
        let lines = try #require(job["script"] as? [String])
        let own = try #require(job["variables"] as? [String: String])
        let named = text.matches(of: /FIELDFARE_[A-Z]+/).map { String($0.output) }
        return Step(
            script: lines.joined(separator: "\n"), own: own,
            fromService: Set(named + ["CI_COMMIT_TIMESTAMP"]).subtracting(own.keys))
    }

    /// What the service would hand to the step: these names and no others.
    private func variables(of step: Step, in registry: RegistryUnderTest) throws -> [String: String]
    {
        let known = registry.environment.merging([
            "FIELDFARE_KEY": registry.folder.path + "/keys/ci.json",
            "FIELDFARE_ROOT": registry.folder.path + "/root.json",
            "CI_COMMIT_TIMESTAMP": "2026-11-21T05:06:07+00:00",
        ]) { _, new in new }
        var variables = step.own
        for name in step.fromService {
            let value: String = try #require(known[name], "\(name)")
            variables[name] = value
        }
        // No command but the system's and the checkout's own.
        variables["PATH"] = "/usr/bin:/bin"
        // A machine of the services trusts the registry's authority; here it is the test's own.
        variables["FIELDFARE_CA"] = known["FIELDFARE_CA"]
        return variables
    }

    /// A git checkout with the model, its policy, the pipeline's key and the committed script, as the examples have it.
    private func checkOut(_ registry: RegistryUnderTest) throws {
        try registry.writeBundle()
        let script = """
            mkdir -p checkout/models checkout/ci checkout/deploy/ci
            mv bundle checkout/models/commands-en
            mv rollout.yaml checkout/
            cp keys/ci.json checkout/ci/release-ci.json
            cp root.json checkout/ci/root.json
            ln -s "$2" checkout/ci/fieldfare
            cp "$1" checkout/deploy/ci/publish.sh
            cd checkout
            git init --quiet .
            git add .
            export GIT_COMMITTER_DATE=2026-11-21T05:06:07+00:00
            git -c user.name=test -c user.email=test@example.org commit --quiet --message model
            """
        let outcome = try registry.programs.run(
            "/bin/bash",
            [
                "-e", "-c", script, "bash", Project.file("deploy/ci/publish.sh").path,
                registry.programs.folder.appendingPathComponent("fieldfare").path,
            ], in: registry.folder)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func yaml(_ path: String) throws -> [String: Any] {
        try #require(try Yams.load(yaml: Project.text(path)) as? [String: Any])
    }
}
