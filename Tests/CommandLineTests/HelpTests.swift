import Foundation
import ProgramTestSupport
import Testing

/// What the programs say of themselves, and what the documents say of them.
@Suite struct HelpTests {
    @Test(arguments: ["fieldfare", "fieldfare-registry"])
    func `every command's help has an example that the command understands`(program: String) throws
    {
        let manual = try Manual(program)
        #expect(manual.commands.count >= (program == "fieldfare" ? 34 : 6))
        for (command, page) in manual.pages {
            let parts = page.components(separatedBy: "EXAMPLE\n")
            let first =
                command.isEmpty && program == "fieldfare" ? page : parts.dropFirst().joined()
            let examples = Self.commandLines(in: first, of: program)
            #expect(!examples.isEmpty, "'\(program) \(command)' has no example")
            for example in examples {
                #expect(manual.complaint(about: example) == nil)
                #expect(
                    command.isEmpty || manual.commands.contains(command) == false
                        || "\(example) ".hasPrefix("\(program) \(command) ")
                        || command == "repo init" && example.hasPrefix("fieldfare repo "),
                    "'\(example)' is no example of '\(command)'")
            }
        }
    }

    @Test func `the documents show commands and options that exist`() throws {
        let manuals = [try Manual("fieldfare"), try Manual("fieldfare-registry")]
        for path in [
            "README.md", "docs/cli.md", "docs/registry.md", "docs/security.md",
            "docs/checklist.md",
        ] {
            let text = try Project.text(path)
            let quoted = text.matches(of: /`(fieldfare(?:-registry)? [^`\n]+)`/).map {
                String($0.1)
            }
            for manual in manuals {
                let lines = Self.commandLines(in: text, of: manual.program)
                let named = quoted.filter { $0.hasPrefix("\(manual.program) ") }
                for line in lines + named {
                    #expect(manual.complaint(about: line) == nil, "\(path)")
                }
            }
        }
    }

    @Test(arguments: ["fieldfare", "fieldfare-registry"])
    func `no page of help shows how its text was put together`(program: String) throws {
        for (command, page) in try Manual(program).pages {
            let prose = page.components(separatedBy: "EXAMPLE")[0]
            #expect(!prose.contains("\\"), "\(command)")
        }
    }

    @Test func `a wrong command or option in a document would be noticed`() throws {
        let manual = try Manual("fieldfare")
        #expect(manual.complaint(about: "fieldfare rollout begin commands-en") != nil)
        #expect(manual.complaint(about: "rollout start commands-en --fast") != nil)
        #expect(manual.complaint(about: "rollout start commands-en --reason x") == nil)
    }

    @Test func `every command of a line is looked at`() throws {
        let text = """
            $ fieldfare none
            fieldfare keys list && fieldfare rollout begin m   # fieldfare not this
            yes | fieldfare repo sign root \\
                --dir repo; fieldfare-registry serve || fieldfare audit
            """
        #expect(
            Self.commandLines(in: text, of: "fieldfare") == [
                "fieldfare keys list", "fieldfare rollout begin m",
                "fieldfare repo sign root --dir repo", "fieldfare audit",
            ])
        #expect(
            Self.commandLines(in: text, of: "fieldfare-registry") == ["fieldfare-registry serve"])
    }

    @Test(arguments: ["fieldfare", "fieldfare-registry"])
    func `wrong usage exits with 2, on standard error only`(program: String) throws {
        let manual = try Manual(program)
        for command in manual.commands {
            let words = command.split(separator: " ").map(String.init)
            let outcome = try Programs().run(
                program, words + ["--no-such-option"], in: FileManager.default.temporaryDirectory)
            #expect(outcome.status == 2, "\(command)")
            #expect(outcome.output.isEmpty && outcome.errors.hasPrefix("Error: "))
        }
        let unknown = try Programs().run(
            program, ["no-such-command"], in: FileManager.default.temporaryDirectory)
        #expect(unknown.status == 2)
    }

    @Test func `the exit codes of the documents are those of the help`() throws {
        let help = try #require(try Manual("fieldfare").pages[""])
        let line = try #require(
            help.split(separator: ".").first { $0.contains("Exit\n") || $0.contains("Exit codes") })
        let told = Set(line.matches(of: #/\b(\d+) /#).compactMap { Int($0.1) })
        let table = try Project.text("docs/cli.md").matches(of: /\n\| (\d+) \|/).compactMap {
            Int($0.1)
        }
        #expect(told == Set(table))
        #expect(table == [0, 1, 2, 10, 11, 12, 130])
    }

    /// The commands of a block's lines that begin with the program's name, each side of `&&`, `||`, `|` and `;` by
    /// itself; a backslash at the end of a line joins the next one.
    private static func commandLines(in text: String, of program: String) -> [String] {
        let joined = text.replacingOccurrences(
            of: #"\s*\\\n\s*"#, with: " ", options: .regularExpression)
        return joined.split(separator: "\n").map { $0.split(separator: " #")[0] }
            .flatMap { $0.split(separator: /;\s|\s(?:&&|\|\||\|)\s/) }
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.hasPrefix("\(program) ") && !$0.contains("→") }
    }
}
