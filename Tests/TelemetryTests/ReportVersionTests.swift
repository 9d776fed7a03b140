import Cryptography
import Glibc
import Primitives
import Telemetry
import TestSupport
import Testing

/// Reports of this version and of the next, as bytes in `fixtures/reports`: what stands there was promised to others.
@Suite struct ReportVersionTests {
    private static let key = TestKeys.key("device of the report fixtures")

    /// What an agent of today sends, with every field.
    private static var today: Report {
        var report = ReportFixtures.full()
        report.device = key.deviceID
        return report
    }

    /// What an agent of the next version may send: more fields, more reason codes, another schema.
    private static var tomorrow: JSON {
        let state: JSON = ["charging": true]
        return ReportFixtures.changed(today.json) { fields in
            fields["schema"] = "fieldfare.report/2"
            fields["schema_hash"] = "00112233445566ff"
            fields["reasons"] = ["over_cpu_budget", "a_reason_of_tomorrow"]
            fields["humidity_percent"] = 40
            fields["power"] = state
            for (key, name) in [
                ("smoke", "joules"), ("attributes", "floor"), ("counters", "whispers"),
                ("reference", "joules"), ("wer_proxy", "words"), ("rollout", "wave"),
            ] {
                fields[key] = ReportFixtures.changed(fields[key] ?? .null) { $0[name] = 3 }
            }
        }
    }

    private static func signed(_ report: JSON) -> JSON {
        let signature = key.sign(report.canonicalBytes)
        return ["signed": report, "signature": .string(Hex.encode(signature))]
    }

    /// A fixture as it lies there; `FIELDFARE_REGENERATE=1` writes it first.
    private func fixture(_ name: String, _ made: JSON) throws -> JSON {
        let path = "fixtures/reports/\(name)"
        if unsafe getenv("FIELDFARE_REGENERATE") != nil {
            try ReportDocumentTests.write(made.canonicalBytes + [0x0A], to: path)
        }
        return try JSON(parsing: ReportDocumentTests.file(path), limit: 2 * Report.byteLimit)
    }

    private func check(_ signed: SignedReport) {
        #expect(Self.key.publicKey.isValid(signed.signature, for: signed.signedBytes))
    }

    @Test func `an agent of today sends what it promised`() throws {
        let json = try fixture("report-1.json", Self.signed(Self.today.json))
        #expect(json == Self.signed(Self.today.json))
        let signed = try SignedReport(json, at: ReportFixtures.now)
        #expect(signed.report == Self.today)
        #expect(signed.report.schemaHash == Report.schemaHash)
        check(signed)
    }

    @Test func `an agent one version newer is understood as far as it is known`() throws {
        let json = try fixture("report-2.json", Self.signed(Self.tomorrow))
        #expect(json == Self.signed(Self.tomorrow))
        let signed = try SignedReport(json, at: ReportFixtures.now)
        var expected = Self.today
        expected.schemaHash = "00112233445566ff"
        expected.reasons = [.overCPUBudget, .other]
        #expect(signed.report == expected)
        #expect(signed.json == json, "what was signed is kept as it came")
        check(signed)
    }

    @Test(arguments: [0, 3, 10]) func `an agent further away is refused`(version: Int) {
        for report in [Self.today.json, Self.tomorrow] {
            let other = ReportFixtures.changed(report) {
                $0["schema"] = .string("fieldfare.report/\(version)")
            }
            #expect(throws: TelemetryError.unknownSchema("fieldfare.report/\(version)")) {
                try SignedReport(Self.signed(other), at: ReportFixtures.now)
            }
        }
    }

    @Test(arguments: [("state", "levitating"), ("kind", "rumour")])
    func `a newer version adds no states and no kinds`(field: String, word: String) {
        let other = ReportFixtures.changed(Self.tomorrow) { $0[field] = .string(word) }
        do {
            _ = try SignedReport(Self.signed(other), at: ReportFixtures.now)
            Issue.record("expected a refusal")
        } catch {
            #expect(error.code == "malformed-report")
        }
    }

    @Test func `another edition of this version is read, and one that says nothing of itself`()
        throws
    {
        for hash in ["0011223344556677", nil] as [String?] {
            let json = ReportFixtures.changed(Self.today.json) {
                $0["schema_hash"] = hash.map { .string($0) }
            }
            #expect(try Report(json).schemaHash == hash)
            #expect(try Report(json).json["schema_hash"]?.string == hash)
        }
        for wrong in ["", "0011", "00112233445566FF", String(repeating: "0", count: 64)] {
            let json = ReportFixtures.changed(Self.today.json) {
                $0["schema_hash"] = .string(wrong)
            }
            #expect(throws: TelemetryError.self) { try Report(json) }
        }
    }

    @Test func `the schema's hash is that of the published schema`() throws {
        let digest = SHA256.digest(of: try ReportDocumentTests.schema().canonicalBytes)
        #expect(Report.schemaHash == Hex.encode(digest.bytes.prefix(8)))
    }
}
