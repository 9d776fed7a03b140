import Foundation
import ProgramTestSupport

/// A script of `fixtures/cli`: commands with what each prints and how it ends.
///
///     # What it shows.
///     # Scene: bundle
///
///     $ fieldfare bundle check bundle       the command, as it is typed
///     > bundle: good                        a line of its standard output
///     ! warning: ...                        a line of its standard error
///     = 1                                   its exit code, unless 0
///
/// Comments and empty lines stand between commands. What differs from run to run stands as its kind (`masked`).
struct CommandScript: CustomStringConvertible {
    /// What is there before the first command.
    enum Scene: String, CaseIterable {
        /// An empty folder.
        case empty
        /// `bundle`, the project's own speech model, and `rollout.yaml`, the policy of a first release.
        case bundle
        /// That, keys in `keys`, the ceremony in `repo`, and a running registry that has it.
        case registry
        /// That, and version 1.0.0 published and signed by both.
        case release
    }

    /// A command, or a line between commands.
    enum Part: Equatable {
        case text(String)
        case command(Command)
    }

    struct Command: Equatable {
        let line: String
        var output: [String] = []
        var errors: [String] = []
        var status: Int32 = 0
    }

    let scene: Scene
    var parts: [Part]

    /// Reads a script; nil where a line is none of those above, or there is no scene.
    init?(_ text: String) {
        parts = []
        var scene: Scene?
        var open: Command?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let content = String(line.dropFirst(2))
            switch line.prefix(2) {
            case "$ ":
                if let open { parts.append(.command(open)) }
                open = Command(line: content)
            case "> ", ">": open?.output.append(content)
            case "! ", "!": open?.errors.append(content)
            case "= ":
                guard let status = Int32(content) else { return nil }
                open?.status = status
            case "", "# ":
                if let open { parts.append(.command(open)) }
                open = nil
                parts.append(.text(String(line)))
                if line.hasPrefix("# Scene: ") {
                    scene = Scene(rawValue: String(line.dropFirst(9)))
                }
            default: return nil
            }
        }
        if let open { parts.append(.command(open)) }
        guard let scene else { return nil }
        self.scene = scene
    }

    var commands: [Command] {
        parts.compactMap { part in
            if case .command(let command) = part { command } else { nil }
        }
    }

    /// The script as it is written.
    var description: String {
        parts.map { part in
            switch part {
            case .text(let line): line + "\n"
            case .command(let command):
                (["$ \(command.line)"] + command.output.map { Self.line(">", $0) }
                    + command.errors.map { Self.line("!", $0) }
                    + (command.status == 0 ? [] : ["= \(command.status)"]))
                    .map { $0 + "\n" }.joined()
            }
        }.joined()
    }

    private static func line(_ mark: String, _ text: String) -> String {
        text.isEmpty ? mark : "\(mark) \(text)"
    }

    /// The script with what its commands really print, run in the scene's folder.
    func run() throws -> CommandScript {
        let registry = try scene.set()
        var script = self
        for (index, part) in parts.enumerated() {
            guard case .command(var command) = part else { continue }
            // No command of a script runs for ever, whatever it should have refused.
            let outcome = try registry.programs.run(
                "/usr/bin/timeout", ["60", "/bin/bash", "-c", command.line], in: registry.folder,
                environment: registry.environment)
            command.output = Self.masked(outcome.output, in: registry)
            command.errors = Self.masked(outcome.errors, in: registry)
            command.status = outcome.status
            script.parts[index] = .command(command)
        }
        return script
    }

    /// The lines of a text, with what differs from run to run as its kind.
    private static func masked(_ text: String, in registry: RegistryUnderTest) -> [String] {
        var text = text
        if !registry.port.isEmpty {
            text = text.replacing(registry.port, with: "<port>")
        }
        text = text.replacing(/\bf[fes]_[A-Za-z0-9_-]{43}/, with: "<token>")
        text = text.replacing(/\b[0-9a-f]{64}\b/, with: "<sha256>")
        text = text.replacing(/\b[0-9a-f]{16}\b/, with: "<-- token id -->")
        text = text.replacing(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "YYYY-MM-DDThh:mm:ssZ")
        text = text.replacing(/\b1[789]\d{8}\b/, with: "<seconds>")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

extension CommandScript.Scene {
    /// Makes it, in a folder of the test's own.
    fileprivate func set() throws -> RegistryUnderTest {
        switch self {
        case .empty: return try RegistryUnderTest()
        case .bundle:
            let registry = try RegistryUnderTest()
            try registry.writeBundle()
            return registry
        case .registry:
            let registry = try RegistryUnderTest.running()
            try registry.writeBundle()
            return registry
        case .release:
            let registry = try RegistryUnderTest.running()
            try registry.release()
            return registry
        }
    }
}
