import Foundation
import ProgramTestSupport
import Testing

/// One device of a site: the built agent with the committed configuration.
///
/// Only paths, address and times are the test's own.
final class SiteAgent {
    private let programs: Programs
    private let folder: URL
    private let configuration: String
    private let process: Process

    /// Enrols the device at the server of `registry.environment`, and runs its agent.
    init(at registry: RegistryUnderTest) throws {
        programs = registry.programs
        folder = registry.folder.appendingPathComponent("device")
        configuration = folder.path + "/agent.json"
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let made = try registry.good("devices", "enrol-tokens", "--json")
        let token = try #require((made.json["tokens"] as? [String])?.first)
        try token.write(
            to: folder.appendingPathComponent("token"), atomically: true, encoding: .utf8)
        let own: [String: Any] = [
            "registry": try #require(registry.environment["FIELDFARE_SERVER"]),
            "ca_file": try #require(registry.environment["FIELDFARE_CA"]),
            "trusted_root": registry.folder.path + "/repo/root.json",
            "enrolment_token_file": folder.path + "/token",
            "state_directory": folder.path + "/state", "socket": folder.path + "/socket",
            "smoke_program": programs.folder.appendingPathComponent("fieldfare-smoke").path,
            "speech_runtime": Project.file(".deps/sherpa-onnx").path,
            "poll_interval_s": 1, "report_interval_s": 1,
        ]
        let committed = try Data(contentsOf: Project.file("deploy/config/agent.json"))
        let settings = try #require(
            try JSONSerialization.jsonObject(with: committed) as? [String: Any])
        try JSONSerialization.data(withJSONObject: settings.merging(own) { _, own in own }).write(
            to: URL(fileURLWithPath: configuration))
        let enrolled = try programs.run(
            "fieldfare-agent", ["enrol", "--config", configuration], in: folder)
        try #require(enrolled.status == 0, "\(enrolled.errors)")
        process = try programs.process(
            "fieldfare-agent", ["run", "--config", configuration], in: folder, environment: [:])
        process.standardError = try Programs.file(folder.path + "/log")
        try process.run()
    }

    deinit { stop() }

    /// Asks the agent to end, and waits until it has.
    ///
    /// - Returns: its exit code.
    @discardableResult
    func stop() -> Int32 {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Waits until the device has a bundle that it would serve.
    ///
    /// - Returns: `active` of the agent's status: slot, version and digest of the manifest.
    func firstBundle() throws -> [String: Any] {
        var answer = ""
        for _ in 0..<600 {
            let status = try programs.run(
                "fieldfare-agent", ["status", "--config", configuration, "--json"], in: folder)
            if let active = status.json["active"] as? [String: Any] { return active }
            answer = status.output + status.errors
            try #require(process.isRunning, "\(log)")
            usleep(200_000)
        }
        Issue.record("the device takes no bundle: \(answer)\(log)")
        return [:]
    }

    private var log: String {
        (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
    }
}
