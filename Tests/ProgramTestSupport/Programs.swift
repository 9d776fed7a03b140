package import Foundation
import TestSupport
import Testing

/// The programs under test: built beside the test bundle, or named by FIELDFARE_PROGRAMS.
package struct Programs {
    package let folder: URL

    package init() throws {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["FIELDFARE_PROGRAMS"]
        folder = named.map { URL(fileURLWithPath: $0) } ?? bundle
        for name in ["fieldfare", "fieldfare-registry"] {
            let path = folder.appendingPathComponent(name).path
            try #require(
                FileManager.default.isExecutableFile(atPath: path),
                "expected the program \(path), got none")
        }
    }

    /// What a program printed, and how it ended.
    package struct Outcome {
        package let status: Int32
        package let output: String
        package let errors: String

        /// The last line of standard output as JSON.
        package var json: [String: Any] {
            let line = output.split(separator: "\n").last ?? ""
            let value = try? JSONSerialization.jsonObject(with: Data(line.utf8))
            return value as? [String: Any] ?? [:]
        }
    }

    /// Runs a program to its end.
    ///
    /// `input` is what it reads; nothing, if it is left out.
    package func run(
        _ program: String, _ arguments: [String], in folder: URL,
        environment: [String: String] = [:], input: String? = nil
    ) throws -> Outcome {
        try start(program, arguments, in: folder, environment: environment, input: input).end()
    }

    /// A program that runs; its output goes to files, so that no pipe can fill up.
    package struct Running {
        let process: Process
        let scratch: ScratchFolder

        /// Waits for its end.
        package func end() throws -> Outcome {
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus,
                output: try String(contentsOfFile: scratch.path("out"), encoding: .utf8),
                errors: try String(contentsOfFile: scratch.path("err"), encoding: .utf8))
        }
    }

    package func start(
        _ program: String, _ arguments: [String], in folder: URL,
        environment: [String: String] = [:], input: String? = nil
    ) throws -> Running {
        let process = try process(program, arguments, in: folder, environment: environment)
        let scratch = ScratchFolder("output")
        if let input {
            try input.write(toFile: scratch.path("in"), atomically: true, encoding: .utf8)
            process.standardInput = FileHandle(forReadingAtPath: scratch.path("in"))
        }
        process.standardOutput = try Self.file(scratch.path("out"))
        process.standardError = try Self.file(scratch.path("err"))
        try process.run()
        return Running(process: process, scratch: scratch)
    }

    package func process(
        _ program: String, _ arguments: [String], in folder: URL, environment: [String: String]
    ) throws -> Process {
        let process = Process()
        process.executableURL =
            program.hasPrefix("/")
            ? URL(fileURLWithPath: program) : self.folder.appendingPathComponent(program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        var variables = ["PATH": self.folder.path + ":/usr/bin:/bin"]
        variables.merge(environment) { _, new in new }
        process.environment = variables
        return process
    }

    package static func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try #require(FileHandle(forWritingAtPath: path))
    }
}
