package import Foundation
import TestSupport
import Testing

/// One HTTP exchange by the program curl, which shares no code with what is under test.
package struct Exchange {
    package let status: Int
    /// By lower-case name.
    package let headers: [String: String]
    package let body: Data

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object; empty where it is none.
    package var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:]
    }

    /// Sends one request, and waits for the whole answer.
    ///
    /// `authority` is a PEM file to trust instead of the system's.
    ///
    /// - Throws: where nobody answers.
    package init(
        _ url: String, method: String = "GET", authority: String? = nil,
        headers: [String: String] = [:], body: Data? = nil
    ) throws {
        let scratch = ScratchFolder("exchange")
        var arguments = [
            "--silent", "--show-error", "--max-time", "60", "--request", method, "--dump-header",
            scratch.path("head"), "--output", scratch.path("body"),
        ]
        if let authority { arguments += ["--cacert", authority] }
        for (name, value) in headers { arguments += ["--header", "\(name): \(value)"] }
        if let body {
            try body.write(to: URL(fileURLWithPath: scratch.path("sent")))
            arguments += ["--header", "Expect:", "--data-binary", "@\(scratch.path("sent"))"]
        }
        let outcome = try Programs().run(
            "/usr/bin/curl", arguments + [url], in: URL(fileURLWithPath: scratch.path))
        try #require(outcome.status == 0, "curl \(method) \(url): \(outcome.errors)")
        let head = try String(contentsOfFile: scratch.path("head"), encoding: .utf8)
        // After a "100 Continue" there are two heads; the last one counts.
        let last = head.components(separatedBy: "\r\n\r\n").last { !$0.isEmpty } ?? ""
        let lines = last.components(separatedBy: "\r\n")
        status = try #require(
            lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap {
                Int($0)
            })
        let pairs = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.last?.trimmingCharacters(in: .whitespaces) ?? ""
            return (parts.first?.lowercased() ?? "", value)
        }
        self.headers = Dictionary(pairs) { _, last in last }
        self.body = FileManager.default.contents(atPath: scratch.path("body")) ?? Data()
    }
}
