import Foundation
import ProgramTestSupport
import Testing

/// Keys that another program holds: a real ssh-agent, and programs that fail in every way.
@Suite struct ExternalSignerTests {
    /// A ceremony whose targets key is that of `keys/agent.json`, held by the ssh-agent of `environment`.
    private final class Ceremony {
        let registry: RegistryUnderTest
        let agent: SSHAgent

        init() throws {
            registry = try RegistryUnderTest()
            try registry.holdCeremony()
            agent = try SSHAgent(for: registry)
            try write("agent", agent.publicKey, [SSHAgent.signer])
            try registry.good(
                "repo", "init", "--dir", "away", "--root-key", "keys/root-a.json",
                "--root-threshold", "1", "--targets-key", "keys/agent.json", "--online",
                "online.json", "--model", "m", "--release-key", "keys/ci.json")
        }

        func write(
            _ name: String, _ key: String, _ program: [String], timeout: Int = 30
        ) throws {
            let outcome = try registry.cli(
                [
                    "keys", "external", name, "--public", key, "--out", "keys", "--timeout",
                    "\(timeout)",
                ]
                    + ["--"] + program, with: [:])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }

        func sign(_ key: String) throws -> Programs.Outcome {
            try registry.cli(signing(key), with: [:])
        }

        func signing(_ key: String) -> [String] {
            [
                "repo", "sign", "targets", "--dir", "away", "--key", "keys/\(key).json", "--yes",
                "--json",
            ]
        }
    }

    @Test func `signs with a key that an ssh-agent holds`() throws {
        let ceremony = try Ceremony()
        let shown = try ceremony.registry.good("keys", "show", "keys/agent.json", "--json").json
        #expect(shown["protection"] as? String == "external")
        let signed = try ceremony.sign("agent")
        #expect(signed.status == 0, "\(signed.errors)")
        #expect(signed.json["state"] as? String == "signed")
        let forgotten = try ceremony.registry.programs.run(
            "/usr/bin/ssh-add", ["-q", "-D"], in: ceremony.registry.folder,
            environment: ceremony.registry.environment)
        #expect(forgotten.status == 0)
        let refused = try ceremony.sign("agent")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("does 'ssh-add -l' list it?"))
    }

    @Test func `a program that fails leaves the metadata as it was, and is named`() throws {
        let ceremony = try Ceremony()
        let key = ceremony.agent.publicKey
        let file = ceremony.registry.folder.appendingPathComponent("away/targets.json")
        let before = try Data(contentsOf: file)
        let zeros = String(repeating: "0", count: 128)
        let answer = #"{"schema":"fieldfare.signer/1","signature":"\#(zeros)"}"#
        let cases: [(String, [String], Int32, String)] = [
            ("missing", ["/no/such/program"], 1, "expected a program to start, got: No such file"),
            ("fails", ["/bin/sh", "-c", "exit 3"], 1, "end with code 0, got code 3"),
            ("killed", ["/bin/sh", "-c", "kill -9 $$"], 1, "end with code 0, got signal 9"),
            ("hangs", ["/bin/sleep", "600"], 1, "expected an answer within 1 s, got none"),
            (
                "silent", ["/bin/sh", "-c", "exec >&-; exec sleep 600"], 1,
                "expected an answer within 1 s, got none"
            ), ("garbage", ["/bin/echo", "hello"], 1, "expected one JSON object as answer"),
            ("nothing", ["/bin/true"], 1, "expected one JSON object as answer"),
            ("endless", ["/usr/bin/yes"], 1, "expected an answer of at most 4096 bytes, got more"),
            (
                "long", ["/usr/bin/head", "-c", "4097", "/dev/zero"], 1,
                "expected an answer of at most 4096 bytes, got more"
            ),
            ("zeros", ["/bin/echo", answer], 10, "expected the signature of key"),
        ]
        for (name, program, code, text) in cases {
            let timeout = text.contains("within 1 s") ? 1 : 30
            try ceremony.write(name, key, program, timeout: timeout)
            let outcome = try ceremony.sign(name)
            #expect(outcome.status == code, "\(name): \(outcome.errors)")
            #expect(
                outcome.errors.contains("signer '\(program[0])': ")
                    && outcome.errors.contains(text), "\(name): \(outcome.errors)")
            #expect(try Data(contentsOf: file) == before, "\(name)")
        }
    }

    @Test func `a program gets neither token nor passphrase, and may leave a child behind`() throws
    {
        let ceremony = try Ceremony()
        let registry = ceremony.registry
        registry.environment["FIELDFARE_TOKEN"] = "secret-token"
        registry.environment["FIELDFARE_PASSPHRASE"] = "secret-passphrase"
        registry.environment["FIELDFARE_TOKENS"] = "no secret"
        let script = "env > seen; /bin/sleep 600 & echo $! > child; exec \(SSHAgent.signer)"
        try ceremony.write("daemon", ceremony.agent.publicKey, ["/bin/sh", "-c", script])
        let signed = try ceremony.sign("daemon")
        let child = try String(
            contentsOf: registry.folder.appendingPathComponent("child"), encoding: .utf8)
        let number = try #require(Int32(child.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(number, SIGKILL) == 0, "the child outlives the program")
        #expect(signed.status == 0, "\(signed.errors)")
        let seen = try String(
            contentsOf: registry.folder.appendingPathComponent("seen"), encoding: .utf8)
        #expect(seen.contains("SSH_AUTH_SOCK=") && seen.contains("FIELDFARE_TOKENS=no secret"))
        #expect(!seen.contains("secret-"))
    }

    @Test func `a program gets no file that was left open to us, whatever its number`() throws {
        let ceremony = try Ceremony()
        let registry = ceremony.registry
        let script = "ls /proc/self/fd > files; exec \(SSHAgent.signer)"
        try ceremony.write("lists", ceremony.agent.publicKey, ["/bin/sh", "-c", script])
        let outcome = try registry.programs.run(
            "/usr/bin/python3", ["-c", Self.leavingOpen, "fieldfare"] + ceremony.signing("lists"),
            in: registry.folder, environment: registry.environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        // Number 3 is the folder that `ls` reads.
        let files = registry.folder.appendingPathComponent("files")
        #expect(try String(contentsOf: files, encoding: .utf8) == "0\n1\n2\n3\n")
    }

    /// Wants to hear of no child; a shell's `trap` does not do that.
    private static let ignoringChildren = """
        import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.execvp(sys.argv[1], sys.argv[1:])
        """

    /// Leaves files of a low and a high number open in the program that it becomes.
    private static let leavingOpen = """
        import os, resource, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        for number in 9, 2000:
            os.dup2(0, number)
        os.execvp(sys.argv[1], sys.argv[1:])
        """

    @Test func `hears of the program's end where its own parent ignores its children`() throws {
        let ceremony = try Ceremony()
        let registry = ceremony.registry
        try ceremony.write("fails", ceremony.agent.publicKey, ["/bin/sh", "-c", "exit 3"])
        let outcome = try registry.programs.run(
            "/usr/bin/python3",
            ["-c", Self.ignoringChildren, "fieldfare"] + ceremony.signing("fails"),
            in: registry.folder, environment: registry.environment)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("end with code 0, got code 3"), "\(outcome.errors)")
    }

    @Test func `a signature by another key of the agent is refused`() throws {
        let ceremony = try Ceremony()
        let registry = ceremony.registry
        for (program, words) in [
            ("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "other-key"]),
            ("/usr/bin/ssh-add", ["-q", "other-key"]),
        ] {
            try #require(
                try registry.programs.run(
                    program, words, in: registry.folder, environment: registry.environment
                ).status == 0)
        }
        let shown = try registry.programs.run(
            SSHAgent.signer, ["public", "other-key.pub"], in: registry.folder)
        let other = shown.output.trimmingCharacters(in: .whitespacesAndNewlines)
        // Asks the agent for the other key, whatever key it was asked for.
        let script =
            "sed 's/\"public\":\"[0-9a-f]*\"/\"public\":\"\(other)\"/' | \(SSHAgent.signer)"
        try ceremony.write("swapped", ceremony.agent.publicKey, ["/bin/sh", "-c", script])
        let outcome = try ceremony.sign("swapped")
        #expect(outcome.status == 10)
        #expect(outcome.errors.contains("got another key's or of other bytes"))
    }

    @Test func `writes no file for a program or key that cannot be`() throws {
        let registry = try RegistryUnderTest()
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        for words in [
            ["--public", key, "--", "signer"], ["--public", "00", "--", "/bin/true"],
            ["--public", key, "--timeout", "0", "--", "/bin/true"],
        ] {
            let outcome = try registry.cli(["keys", "external", "x"] + words, with: [:])
            #expect(outcome.status == 2, "\(words)")
            #expect(outcome.errors.contains("expected"))
        }
        #expect(try registry.files().isEmpty)
    }
}
