import Foundation
import ProgramTestSupport
import Testing

/// The question for a passphrase, at a terminal of its own.
@Suite struct PassphrasePromptTests {
    /// Runs `keys generate` at a new terminal, types, and says how it ended, what was shown, and whether the terminal
    /// shows again what is typed.
    private static let script = """
        import json, os, pty, select, signal, sys, termios, time
        master, slave = pty.openpty()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            import fcntl
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for number in (0, 1, 2): os.dup2(slave, number)
            for name in list(os.environ):
                if name == "FIELDFARE_PASSPHRASE": del os.environ[name]
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.execvp(sys.argv[1], sys.argv[1:3] + ["generate", "typed", "--out", "typed"])
        shown = b""
        def wait_for(text):
            global shown
            end = time.time() + 30
            while text not in shown and time.time() < end:
                if select.select([master], [], [], 0.2)[0]:
                    shown += os.read(master, 4096)
        for word in sys.argv[3:]:
            wait_for(b": ")
            asked = shown
            shown = b""
            time.sleep(0.2)
            os.write(master, {"^C": b"\\x03", "^\\\\": b"\\x1c"}.get(word, word.encode() + b"\\n"))
        deadline = time.time() + 60
        status = None
        while time.time() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try: shown += os.read(master, 4096)
                except OSError: pass
            done, code = os.waitpid(pid, os.WNOHANG)
            if done:
                status = os.waitstatus_to_exitcode(code)
                break
        echo = bool(termios.tcgetattr(slave)[3] & termios.ECHO)
        print(json.dumps({"status": status, "echo": echo, "shown": shown.decode(errors="replace")}))
        """

    private func type(_ words: String..., in registry: RegistryUnderTest) throws -> [String: Any] {
        let outcome = try registry.programs.run(
            "/usr/bin/python3",
            ["-c", Self.script, registry.programs.folder.path + "/fieldfare", "keys"] + words,
            in: registry.folder, environment: [:])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.json
    }

    @Test func `asks twice for a new key's, and takes no two`() throws {
        let registry = try RegistryUnderTest()
        let other = try type("password1", "password2", in: registry)
        #expect(other["status"] as? Int == 2)
        #expect((other["shown"] as? String)?.contains("expected the same twice") == true)
        #expect(try registry.files().isEmpty)
        let same = try type("password1", "password1", in: registry)
        #expect(same["status"] as? Int == 0, "\(same)")
        #expect(other["echo"] as? Bool == true && same["echo"] as? Bool == true)
        #expect(try registry.files()["typed/typed.json"] != nil)
        #expect((same["shown"] as? String)?.contains("password1") == false)
    }

    @Test(arguments: ["^C", "^\\"])
    func `gives the terminal back to who stops it`(key: String) throws {
        let registry = try RegistryUnderTest()
        let stopped = try type(key, in: registry)
        #expect(stopped["status"] as? Int == 130, "\(stopped)")
        #expect(stopped["echo"] as? Bool == true)
        #expect(try registry.files().isEmpty)
    }
}
