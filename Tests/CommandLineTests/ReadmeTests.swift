import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import Testing

/// "The command line, in ten lines" of the README, run in order as a reader runs it.
///
/// Where the registry is, and the token, are in the environment; `3f0c…` becomes the id of a device; the question
/// that a signer is asked is answered with yes; what is watched is watched in a window of its own.
@Suite struct ReadmeTests {
    @Test func `the ten lines work, and do what is said beside them`() throws {
        let lines = try Self.lines()
        try #require(lines.count == 10)
        let reader = try Reader()
        var claims: [String] = []
        for (number, line) in lines.enumerated() {
            if number == 1 { try reader.setUp() }
            if line.contains("--watch") {
                try reader.watch(line)
                continue
            }
            let outcome = try reader.run(line)
            try #require(outcome.status == 0, "\(line): \(outcome.errors)")
            claims.append(outcome.output)
            if line.contains(" repo sign ") {
                #expect(outcome.errors.contains("+ target bundles/commands-en/1.1.0.json"))
            }
        }
        let watched = try reader.endOfWatch()
        #expect(watched.status == 0)

        let beginnings = claims.map { String($0.prefix { $0 != "\n" }) }
        #expect(beginnings[0].hasSuffix("  release-ci  ./release-ci.json"))
        #expect(beginnings[1] == "commands-en: good")
        #expect(beginnings[2].hasPrefix("commands-en 1.1.0: "))
        let promise = try #require(lines[3].firstMatch(of: /ends with "(.+)"/))
        #expect(claims[3].hasSuffix("\(promise.1)\n"))
        #expect(beginnings[4] == "model.commands-en: live")
        #expect(beginnings[5] == "commands-en/main  1.1.0  created; in force 1.0.0 completed")
        #expect(beginnings[6] == "commands-en/main  1.1.0  running (beta)")
        #expect(watched.output.contains("\n* beta 1%: began "))
        #expect(watched.output.contains("\nTEST "))
        #expect(claims[7].contains("  REFUSED ") && claims[7].contains("\n  ok      "))
        let withdrawn = "commands-en/main  1.1.0  rolled_back (beta)\n"
        #expect(claims[8].hasPrefix("withdrawn: 1.1.0\n\(withdrawn)"))
        #expect(watched.output.contains(withdrawn))
    }

    /// The lines of the block, with their comments.
    private static func lines() throws -> [String] {
        let text = try Project.text("README.md")
        let section = text.components(separatedBy: "## The command line, in ten lines\n").last
        let block = section?.components(separatedBy: "```sh\n").dropFirst().first?
            .components(separatedBy: "```").first
        return try #require(block).split(separator: "\n").map(String.init)
    }
}

/// Somebody with a bundle to publish, and a registry whose fleet is on the version before.
private final class Reader {
    private let registry: RegistryUnderTest
    private var device: TestDevice
    private var watcher: (process: Process, output: Pipe, seen: String)?

    init() throws {
        registry = try RegistryUnderTest()
        let model = try #require(ModelName("commands-en"))
        device = TestDevice("reader", model: model, labels: ["office"])
        // Policies that `policy init` writes begin on the morning after that; devices and registry have passed it.
        let yesterday = Int(Date().timeIntervalSince1970) - 86_400
        registry.environment["SOURCE_DATE_EPOCH"] = "\(yesterday)"
    }

    deinit { watcher?.process.terminate() }

    func run(_ line: String) throws -> Programs.Outcome {
        try registry.programs.run(
            "/bin/bash", ["-c", typed(line)], in: registry.folder,
            environment: registry.environment, input: "y\n")
    }

    /// Runs a line beside the others, until what it shows has a table of tests.
    func watch(_ line: String) throws {
        let process = try registry.programs.process(
            "/usr/bin/timeout", ["120", "/bin/bash", "-c", typed(line)], in: registry.folder,
            environment: registry.environment)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var seen = ""
        while !seen.contains("\nTEST ") {
            let bytes = pipe.fileHandleForReading.availableData
            try #require(!bytes.isEmpty, "\(line) ended with \(seen)")
            seen += String(decoding: bytes, as: UTF8.self)
        }
        watcher = (process, pipe, seen)
    }

    func endOfWatch() throws -> (status: Int32, output: String) {
        let (process, pipe, seen) = try #require(watcher)
        let rest = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, seen + String(decoding: rest, as: UTF8.self))
    }

    private func typed(_ line: String) -> String {
        line.replacingOccurrences(of: "3f0c…", with: "\(device.id)")
            // One device can prove nothing.
            .replacingOccurrences(
                of: "rollout create ", with: "rollout create --acknowledge-warnings ")
    }

    /// What a reader has besides the key of the first line: the ceremony's other keys, a registry with a device, a
    /// release that is complete, and the next one's bundle.yaml and rollout.yaml.
    func setUp() throws {
        try registry.good("keys", "generate", "release-anna")
        try registry.holdCeremony(releaseKeys: ("release-ci.json", "release-anna.json"))
        try registry.start()
        try registry.good("repo", "push", "--dir", "repo")
        try registry.enrol(device)
        try completeFirstRelease()
        try registry.writeBundle("commands-en", version: "1.1.0")
        try FileManager.default.removeItem(
            at: registry.folder.appendingPathComponent("rollout.yaml"))
        try registry.good("policy", "init", "--model", "commands-en", "--version", "1.1.0")
    }

    private func completeFirstRelease() throws {
        try registry.writeBundle("first")
        try """
        model: commands-en
        candidate: 1.0.0
        replaces: []
        stages: [{ name: stable, least_soak: 3s, most_soak: 1h, required_blind_spot: {} }]
        burn_in: { seconds: 0, turns: 0 }
        report_interval: 1s
        check_in_deadline: 2s
        """.write(
            to: registry.folder.appendingPathComponent("first.yaml"), atomically: true,
            encoding: .utf8)
        try registry.good("bundle", "build", "first", "--out", "first-build")
        try registry.good(
            "publish", "first-build", "--key", "release-ci.json", "--policy", "first.yaml")
        try registry.good(
            "repo", "sign", "model.commands-en", "--key", "release-anna.json", "--yes")
        try registry.good("rollout", "create", "commands-en", "1.0.0", "--initial")
        try registry.good("rollout", "start", "commands-en")
        // Busy until the stage's three seconds are over.
        for _ in 0..<1_000 {
            let ended = try registry.cli("rollout", "advance", "commands-en", "--reason", "tried")
            if ended.status == 0 { return }
            try #require(ended.status == 11, "\(ended.errors)")
        }
        Issue.record("the first release was not completed")
    }
}
