import FieldfareAgent
import Glibc
import Primitives
import Speech
import TestSupport
import Testing

/// The built `fieldfare-agent` where something is wrong: its exit code, what it says, and what it leaves behind.
struct AgentProgramTests {
    private static let rootHint =
        "let 'trusted_root' name the registry's root.json that the device was made with"
    private static let authoritiesHint =
        "name a file that the agent's user can read; without 'ca_file' the system's authorities count"

    private let device = AgentUnderTest()

    private func check(
        _ words: [String], _ code: Int32, _ message: String, hint: String,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let child = try ChildProcess(
            [try ChildProcess.program("fieldfare-agent")] + words, timeout: 30_000)
        #expect(child.ending == .exited(code), sourceLocation: location)
        #expect(child.output == [], sourceLocation: location)
        // Lines of the log, which have a priority before them, may come first.
        let lines = child.errors.split(separator: "\n").filter { !$0.hasPrefix("<") }
        #expect(
            lines == ["fieldfare-agent: \(message)", "hint: \(hint)"], sourceLocation: location)
    }

    private func write(_ text: String, to name: String) throws -> String {
        let path = device.scratch.path(name)
        try device.write(Array(text.utf8), to: path)
        return path
    }

    // MARK: Before anything is made

    @Test(arguments: [
        ("", "JSON at byte 0: expected more, got the end of the text"),
        (#"{"a":1}"#, "field 'signed': expected the signed part, got nothing"),
    ])
    func `a file that is no root leaves nothing behind`(text: String, reason: String) throws {
        let configuration = try device.configuration()
        let root = try write(text, to: "root.json")
        try check(
            ["run", "--config", configuration], 1,
            "trusted root '\(root)': cannot read root: \(reason)", hint: Self.rootHint)
        #expect(!device.exists("state"))
        #expect(!device.exists("agent.sock"))
    }

    @Test func `a root that is not there leaves nothing behind`() throws {
        let configuration = try device.configuration()
        let root = device.scratch.path("root.json")
        try #require(unsafe unlink(root) == 0)
        try check(
            ["run", "--config", configuration], 1,
            "trusted root: cannot open '\(root)': no such file or folder", hint: Self.rootHint)
        #expect(!device.exists("state"))
    }

    @Test func `a device that holds a root needs the file no more`() throws {
        try device.start()
        device.stop()
        #expect(device.exists("state/metadata/root.json"))
        try #require(unsafe unlink(device.scratch.path("root.json")) == 0)
        let agent = try Agent(configuration: device.scratch.path("state.agent.sock.json"))
        agent.stop()
        try agent.run()
    }

    @Test(arguments: ["run", "enrol"])
    func `authorities that are not there are a wrong setting`(command: String) throws {
        let token = try write("fe_" + String(repeating: "A", count: 43), to: "token")
        let authorities = device.scratch.path("ca.pem")
        let configuration = try device.configuration(authorities: authorities)
        let words =
            [command, "--config", configuration]
            + (command == "enrol" ? ["--token-file", token] : [])
        try check(
            words, 2,
            "configuration: field 'ca_file': cannot open '\(authorities)': no such file or folder",
            hint: Self.authoritiesHint)
        for text in ["", "junk\n", "-----BEGIN PRIVATE KEY-----\n", "# BEGIN CERTIFICATE\n"] {
            _ = try write(text, to: "ca.pem")
            try check(
                words, 2,
                "configuration: field 'ca_file': expected PEM certificates, got none in '\(authorities)'",
                hint: Self.authoritiesHint)
        }
        #expect(!device.exists("state"))
    }

    @Test func `authorities behind a link, with text before them, will do`() throws {
        let file = try write("# ours\r\n-----BEGIN CERTIFICATE-----\r\n", to: "real.pem")
        let link = device.scratch.path("ca.pem")
        try #require(unsafe symlink(file, link) == 0)
        let agent = try Agent(configuration: device.configuration(authorities: link))
        agent.stop()
        try agent.run()
        #expect(device.exists("state/metadata/root.json"))
    }

    // MARK: Enrolling

    @Test func `enrolling names the token's file, and never the token`() throws {
        let configuration = try device.configuration()
        let words = ["enrol", "--config", configuration]
        try check(
            words, 2, "enrol: expected --token-file or 'enrolment_token_file', got neither",
            hint: "'fieldfare devices enrol-tokens' makes tokens")
        let file = device.scratch.path("token")
        try check(
            words + ["--token-file", file], 2,
            "enrolment token: cannot open '\(file)': no such file or folder",
            hint: "put a token there; 'fieldfare devices enrol-tokens' makes tokens")
        _ = try write("fe_secret", to: "token")
        try check(
            words + ["--token-file", file], 2,
            "enrolment token '\(file)': expected 'fe_' and 43 letters, digits, '-' or '_', got another text",
            hint: "'fieldfare devices enrol-tokens' makes tokens")
        #expect(!device.exists("state"))
        _ = try write("fe_" + String(repeating: "A", count: 43) + "\n", to: "token")
        try check(
            words + ["--token-file", file], 12,
            "enrolment at https://127.0.0.1:9: cannot reach https://127.0.0.1:9/v1/devices: "
                + "no connection (7)",
            hint: "see whether 'registry' and 'ca_file' are right, and the network; "
                + "then enrol again")
    }

    // MARK: Asking the running agent

    @Test func `says where no agent runs`() throws {
        let configuration = try device.configuration()
        try check(
            ["status", "--config", configuration], 12,
            "cannot reach the agent: socket '\(device.socket)': expected one that an agent listens on, "
                + "got nothing of that name",
            hint: "start it with 'fieldfare-agent run', or name its socket with --socket")
    }

    @Test func `says why the agent refused`() throws {
        try device.start()
        defer { device.stop() }
        try check(
            ["rollback", "--socket", device.socket], 10,
            "the agent refused: rollback: expected a version to go back to, got none",
            hint: "'fieldfare-agent status' shows what it has")
    }

    @Test func `says what is in another's use`() throws {
        try device.start()
        defer { device.stop() }
        let state = device.scratch.path("state")
        try check(
            ["run", "--config", try device.configuration(socket: "second.sock")], 11,
            "state directory '\(state)': expected nobody in it, got another agent",
            hint: "stop the other one, or name another folder in 'state_directory'")
        try check(
            ["run", "--config", try device.configuration(state: "other")], 11,
            "socket '\(device.socket)': expected a free name, got one in use",
            hint: "stop what uses it, or name another one in 'socket'")
    }

    @Test func `says which place it cannot have`() throws {
        let file = try write("", to: "file")
        try check(
            ["run", "--config", try device.configuration(state: "file/state")], 1,
            "state directory '\(file)/state': cannot mkdir '\(file)/state': not a directory",
            hint: "let 'state_directory' name a folder that the agent's user may write")
        let long = String(repeating: "s", count: 120)
        try check(
            ["run", "--config", try device.configuration(socket: long)], 1,
            "socket '\(device.scratch.path(long))': expected a name to listen on, got file name too long",
            hint: "let 'socket' be a name of under 108 bytes in a folder that the agent's user "
                + "may write")
    }

    @Test(arguments: [
        ([], "expected a command, got ''"), (["reboot"], "expected a command, got 'reboot'"),
        (["config"], "config: expected 'check', got ''"),
        (["run", "--json"], "run: expected one of its options, got '--json'"),
        (["status", "--socket"], "--socket: expected a value, got nothing"),
        (["status", "--config", "a.json"], "--config: expected an absolute path, got 'a.json'"),
    ])
    func `says what is wrong with the command line`(words: [String], message: String) throws {
        try check(words, 2, message, hint: "fieldfare-agent --help")
    }
}
