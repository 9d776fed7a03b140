import Foundation
import ProgramTestSupport
import Testing

/// A real ssh-agent with one Ed25519 key, which the commands of a registry's folder reach.
final class SSHAgent {
    static let signer = Project.file("deploy/signer/ssh-agent-signer").path

    /// 64 hexadecimal digits.
    let publicKey: String
    private let process: Process

    init(for registry: RegistryUnderTest) throws {
        let programs = registry.programs
        let socket = registry.folder.path + "/agent"
        try #require(
            try programs.run(
                "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "agent-key"],
                in: registry.folder
            ).status == 0)
        process = try programs.process(
            "/usr/bin/ssh-agent", ["-D", "-a", socket], in: registry.folder, environment: [:])
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        registry.environment["SSH_AUTH_SOCK"] = socket
        var added: Programs.Outcome?
        for _ in 0..<100 where added?.status != 0 {
            added = try programs.run(
                "/usr/bin/ssh-add", ["-q", "agent-key"], in: registry.folder,
                environment: registry.environment)
        }
        try #require(added?.status == 0, "\(added?.errors ?? "")")
        let shown = try programs.run(
            Self.signer, ["public", "agent-key.pub"], in: registry.folder)
        publicKey = shown.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit {
        // A thread of the tests may block SIGTERM, and what it starts does too.
        _ = kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
