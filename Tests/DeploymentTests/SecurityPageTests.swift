import Foundation
import ProgramTestSupport
import Testing

/// `docs/security.md` names the tests that prove its first table; here they are looked for.
@Suite struct SecurityPageTests {
    @Test func `each row names tests, and they exist`() throws {
        let page = try Project.text("docs/security.md")
        let claims = Self.rows(of: "| stolen |", in: page)
        let proofs = Self.rows(of: "| row |", in: page)
        #expect(claims.map { $0[0] } + ["recovery"] == proofs.map { $0[0] })
        #expect(claims.count >= 10)
        let reasons = try Project.text("Sources/Rollouts/Decision/RefusalReason.swift")
        for proof in proofs {
            var suite = ""
            var tests = 0
            for quoted in proof[1].matches(of: /`([^`]+)`/).map({ String($0.1) }) {
                if quoted.contains(/^[A-Za-z]+\/[A-Za-z]+$/) {
                    suite = quoted
                    continue
                }
                tests += 1
                let isReason = reasons.contains("\"\(quoted)\"")
                let isTest = try Self.source(of: suite).contains("func `\(quoted)`(")
                #expect(isTest || isReason, "\(proof[0]): \(suite) has no test '\(quoted)'")
            }
            #expect(tests > 0, "\(proof[0])")
        }
    }

    @Test func `a test that is gone would be noticed`() throws {
        let source = try Self.source(of: "TUFTests/SnapshotTests")
        #expect(source.contains("func `refuses a snapshot that drops a role`("))
        #expect(!source.contains("func `refuses a snapshot that nobody has written`("))
        #expect(throws: (any Error).self) { try Self.source(of: "TUFTests/NoSuchTests") }
    }

    /// The cells of a table's rows, found by the beginning of its head.
    private static func rows(of head: String, in page: String) -> [[String]] {
        let lines = page.components(separatedBy: "\n")
        guard let start = lines.firstIndex(where: { $0.hasPrefix(head) }) else { return [] }
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            line.dropFirst().components(separatedBy: "|").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// The file of a suite, which is named after it, in any folder of its target.
    private static func source(of suite: String) throws -> String {
        let parts = suite.split(separator: "/").map(String.init)
        let name = parts.last ?? ""
        let files =
            FileManager.default.subpaths(atPath: Project.file("Tests/\(parts[0])").path) ?? []
        guard let file = files.first(where: { $0.split(separator: "/").last == "\(name).swift" })
        else { throw CocoaError(.fileNoSuchFile) }
        let text = try Project.text("Tests/\(parts[0])/\(file)")
        try #require(text.contains("struct \(name)"), "\(suite)")
        return text
    }
}
