import Foundation
import Primitives
import Telemetry
import Testing

/// The page, the JSON Schema and the code name the same fields.
@Suite struct ReportDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func file(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appending(path: path)))
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: root.appending(path: path))
    }

    /// The paths of all values in a report, arrays counting as values.
    static func paths(_ json: JSON, below prefix: String = "") -> Set<String> {
        guard let fields = json.object else { return [prefix] }
        return fields.reduce(into: []) { paths, field in
            paths.formUnion(
                Self.paths(
                    field.value, below: prefix.isEmpty ? field.key : "\(prefix).\(field.key)"))
        }
    }

    static func schemaPaths(_ schema: JSON, below prefix: String = "") -> Set<String> {
        guard let properties = schema["properties"]?.object else { return [prefix] }
        return properties.reduce(into: []) { paths, field in
            paths.formUnion(
                schemaPaths(
                    field.value, below: prefix.isEmpty ? field.key : "\(prefix).\(field.key)"))
        }
    }

    static func schema() throws -> JSON {
        try JSON(parsing: file("manifests/schemas/report.schema.json"), limit: 200_000)
    }

    @Test func `a full report has every field of the table, and no other`() {
        let known = ReportField.all.map(\.path)
        #expect(Set(known).count == known.count)
        #expect(Self.paths(ReportFixtures.full().json) == Set(known))
    }

    @Test func `the JSON Schema has the same fields`() throws {
        let signed = try #require(try Self.schema()["properties"]?["signed"])
        #expect(Self.schemaPaths(signed) == Set(ReportField.all.map(\.path)))
    }

    @Test func `the JSON Schema names every reason code, state and kind`() throws {
        let fields = try #require(try Self.schema()["properties"]?["signed"]?["properties"])
        func words(_ json: JSON?) -> [String] { json?["enum"]?.array?.compactMap(\.string) ?? [] }
        #expect(words(fields["reasons"]?["items"]) == ReasonCode.allCases.map(\.rawValue))
        #expect(words(fields["state"]) == ReportedState.allCases.map(\.rawValue))
        #expect(words(fields["kind"]) == ReportKind.allCases.map(\.rawValue))
        #expect(
            words(fields["smoke"]?["properties"]?["outcome"])
                == ["passed"] + ReasonCode.allCases.map(\.rawValue))
    }

    @Test func `the page prints the table of data classes and retention as the code has it`() throws
    {
        let page = String(decoding: try Self.file("docs/formats/report.md"), as: UTF8.self)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
            row.split(separator: "|").prefix(3).map { cell in
                cell.trimmingCharacters(in: .whitespaces)
            }
        }
        let expected = ReportField.all.map { field in
            [
                "`\(field.path)`", field.dataClass.rawValue,
                "\(field.dataClass.retentionSeconds / 86_400)",
            ]
        }
        #expect(Set(rows) == Set(expected))
        #expect(rows.count == expected.count)
        for code in ReasonCode.allCases { #expect(page.contains("`\(code.rawValue)`")) }
    }

    @Test func `the histogram's page has the vector's bytes`() throws {
        let page = String(decoding: try Self.file("docs/formats/histogram.md"), as: UTF8.self)
        let bytes = ExponentialHistogramTests.histogram(ExponentialHistogramTests.values).wireHex
        let digits = page.split(separator: "\n").map { $0.filter { $0 != " " } }
        #expect(digits.contains(bytes))
    }
}
