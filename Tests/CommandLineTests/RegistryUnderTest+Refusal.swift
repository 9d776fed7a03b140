import Foundation
import ProgramTestSupport
import Testing

extension RegistryUnderTest {
    /// Runs a program, and expects one error of it: its code, its words, nothing on standard output, and no
    /// trace: every file, and all that a running registry tells, as before.
    func refuses(
        _ words: [String], _ code: Int32, _ texts: [String],
        with variables: [String: String] = [:], program: String = "fieldfare",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try trace()
        // A server that starts although it should not would run for ever.
        let outcome = try programs.run(
            "/usr/bin/timeout", ["60", program] + words, in: folder,
            environment: environment.merging(variables) { _, new in new })
        #expect(outcome.status == code, "\(outcome.errors)", sourceLocation: sourceLocation)
        let own = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("\(program): ") }
        #expect(own.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, "\(outcome.output)", sourceLocation: sourceLocation)
        for text in texts {
            #expect(
                outcome.errors.contains(text), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
        try expectNoTrace(since: before, sourceLocation: sourceLocation)
    }

    /// What bad input must leave as it is: files by path, and what a running registry tells by route.
    ///
    /// Rollouts are looked at all the time, and change by themselves; every order to one is in the audit log.
    func trace() throws -> [String: Data] {
        var trace = try files()
        guard isRunning else { return trace }
        for path in ["roles", "devices", "tokens", "audit?limit=1000"] {
            let answer = try request("/v1/\(path)")
            try #require(answer.status == 200, "\(path): \(answer.text)")
            trace["/v1/\(path)"] = answer.body
        }
        return trace
    }

    func expectNoTrace(
        since before: [String: Data], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let after = try trace()
        let changed = Set(after.keys).union(before.keys).filter { before[$0] != after[$0] }
        #expect(changed.isEmpty, "left a trace", sourceLocation: sourceLocation)
    }
}
