import Foundation
import Testing

/// The help of a program and of all its commands, as the program prints it.
package struct Manual {
    package let program: String
    /// By the words after the program's name, joined with spaces; "" is the program itself.
    package private(set) var pages: [String: String] = [:]

    package init(_ program: String) throws {
        self.program = program
        let programs = try Programs()
        var waiting = [[String]()]
        while let words = waiting.popLast() {
            let help = try programs.run(
                program, words + ["--help"], in: FileManager.default.temporaryDirectory)
            try #require(help.status == 0, "\(program) \(words): \(help.errors)")
            try #require(
                help.output.contains("USAGE: " + ([program] + words).joined(separator: " ")),
                "\(words) is shown as a command, and its help is another's")
            pages[words.joined(separator: " ")] = help.output
            waiting += Self.subcommands(in: help.output).map { words + [$0] }
        }
    }

    /// The commands that do something, in order.
    package var commands: [String] {
        pages.keys.filter { Self.subcommands(in: pages[$0] ?? "").isEmpty }.sorted()
    }

    /// What is wrong with a command line that a document shows, with or without the program's name; nil where
    /// nothing is.
    package func complaint(about line: String) -> String? {
        var words = line.split(whereSeparator: \.isWhitespace).map(String.init)[...]
        if words.first == program { words = words.dropFirst() }
        var command = ""
        while let word = words.first {
            let longer = command.isEmpty ? word : "\(command) \(word)"
            guard pages[longer] != nil else { break }
            command = longer
            words = words.dropFirst()
        }
        let page = pages[command] ?? ""
        let subcommands = Self.subcommands(in: page)
        if let word = words.first, !subcommands.isEmpty, !word.hasPrefix("-") {
            return "'\(line)': '\(command)' has no command '\(word)'"
        }
        for word in words where word.hasPrefix("--") {
            let option = word.prefix { $0 == "-" || $0.isLetter }
            guard !page.contains(" \(option) "), !page.contains(" \(option)\n"),
                !page.contains("[\(option)"), !page.contains("(\(option)")
            else { continue }
            return "'\(line)': '\(command)' has no option '\(option)'"
        }
        return nil
    }

    private static func subcommands(in page: String) -> [String] {
        guard let list = page.components(separatedBy: "\nSUBCOMMANDS:\n").dropFirst().first else {
            return []
        }
        return list.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("  "), line.dropFirst(2).first?.isLowercase == true else {
                return nil
            }
            return line.split { $0 == " " || $0 == "," }.first.map(String.init)
        }.filter { $0 != "help" }
    }
}
