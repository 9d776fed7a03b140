import Foundation
import ProgramTestSupport
import Testing

/// The scripts of `fixtures/cli`, run with the built programs.
@Suite struct CommandScriptTests {
    private static let folder = "fixtures/cli"
    private static let names = [
        "bundle.txt", "ceremony.txt", "fleet.txt", "keys.txt", "policy.txt", "publish.txt",
        "registry.txt", "rollout.txt", "usage.txt",
    ]

    /// `FIELDFARE_REGENERATE=1` writes down what the commands print instead of comparing it.
    @Test(arguments: names)
    func `every command prints what stands below it, and ends as it says`(name: String) throws {
        let script = try #require(CommandScript(try Project.text("\(Self.folder)/\(name)")))
        let found = try script.run()
        if ProcessInfo.processInfo.environment["FIELDFARE_REGENERATE"] != nil {
            try found.description.write(
                to: Project.file("\(Self.folder)/\(name)"), atomically: true, encoding: .utf8)
            return
        }
        for (expected, found) in zip(script.commands, found.commands) {
            #expect(found.output == expected.output, "\(expected.line)")
            #expect(found.errors == expected.errors, "\(expected.line)")
            #expect(found.status == expected.status, "\(expected.line)")
        }
    }

    @Test func `all scripts are run, and are written as they are read`() throws {
        #expect(try Project.names(in: Self.folder) == Self.names)
        var commands = 0
        for name in Self.names {
            let text = try Project.text("\(Self.folder)/\(name)")
            let script = try #require(CommandScript(text), "\(name)")
            #expect(script.description == text)
            #expect(text.hasPrefix("# "), "\(name) says what it shows")
            commands += script.commands.count
        }
        #expect(commands == 163)
    }

    @Test(arguments: [
        "$ ls\n", "# Scene: nowhere\n", "# Scene: empty\n\n$ ls\n= one\n", "# Scene: empty\nls\n",
    ])
    func `what is no script is not read as one`(text: String) {
        #expect(CommandScript(text) == nil)
    }
}
