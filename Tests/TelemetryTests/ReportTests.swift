import Primitives
import Telemetry
import TestSupport
import Testing

@Suite struct ReportTests {
    let now = ReportFixtures.now

    func refusal(of json: JSON) -> String? {
        do {
            try Report(json).check(at: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `reads what it writes, in full and at its smallest`() throws {
        for report in [ReportFixtures.full(), ReportFixtures.minimal()] {
            let read = try Report(JSON(parsing: report.json.bytes, limit: Report.byteLimit))
            #expect(read == report)
            #expect(read.signedBytes == report.signedBytes)
            try read.check(at: now)
        }
    }

    @Test func `signs the same canonical bytes as ever`() {
        #expect(
            String(decoding: ReportFixtures.minimal().signedBytes, as: UTF8.self)
                == #"{"attributes":{"device_class":"hub","labels":["beta","office"],"locale":"en-GB","#
                + #""number":3,"region":"eu"},"channel":"main","context":"fieldfare.device-report","#
                + #""counters":{"abandoned":0,"crashes":0,"errors":0,"escalations":0,"#
                + #""false_positives":0,"retries":0,"turns":0},"#
                + #""device":"07070707070707070707070707070707","epoch":1799000000,"#
                + #""kind":"periodic","made_at":1800000000,"model":"commands-en","reasons":[],"#
                + #""schema":"fieldfare.report/1","schema_hash":"\#(Report.schemaHash)","#
                + #""sequence":1,"state":"committed","uptime_s":0}"#)
    }

    @Test func `is as small as a report over a metered link should be`() {
        #expect(ReportFixtures.full().signedBytes.count < 2_500)
    }

    @Test(arguments: [
        ("unknown-schema", "schema", JSON.string("fieldfare.report/3")),
        ("unknown-schema", "schema", .null),
        ("wrong-context", "context", .string("fieldfare.enrolment")),
        ("wrong-context", "context", .null),
        ("malformed-report", "device", .string("07")),
        ("malformed-report", "extra", .integer(1)),
        ("malformed-report", "kind", .string("rumour")),
        ("malformed-report", "reasons", .array([.string("felt slow")])),
        ("malformed-report", "sequence", .integer(0)),
        ("malformed-report", "latency_ms", .string("0108")),
        ("malformed-report", "made_at", .string("2026-11-21T05:06:07Z")),
        ("future-time", "made_at", .integer(1_800_000_301)),
        ("future-time", "epoch", .integer(1_800_000_301)),
        ("future-time", "exposed_at", .integer(1_800_000_001)),
        ("future-time", "counting_since", .integer(1_800_000_001)),
    ])
    func `refuses a report with the closed reason`(code: String, field: String, value: JSON) {
        let json = ReportFixtures.changed(ReportFixtures.full().json) { $0[field] = value }
        #expect(refusal(of: json) == code)
    }

    @Test func `a model may crash more often than it was asked, as it may while it loads`() throws {
        for turns in [40, 0] as [Int64] {
            var report = ReportFixtures.minimal()
            report.tally.counters.turns = turns
            report.tally.counters.crashes = 41
            #expect(refusal(of: report.json) == nil)
        }
        let page = String(
            decoding: try ReportDocumentTests.file("docs/formats/report.md"), as: UTF8.self)
        #expect(page.contains("`crashes` has no such bound"))
    }

    @Test func `refuses more turns of any kind than turns`() {
        for name in ["errors", "escalations", "false_positives", "abandoned", "retries"] {
            let json = ReportFixtures.changed(ReportFixtures.full().json) {
                $0["counters"] = ReportFixtures.changed($0["counters"] ?? .null) {
                    $0[name] = 41
                }
            }
            #expect(refusal(of: json) == "impossible-count", "\(name)")
        }
        var report = ReportFixtures.full()
        report.tally.counters.turns = 39
        #expect(refusal(of: report.json) == "impossible-count")
        report = ReportFixtures.full()
        report.wordErrors = WordErrorProxy(thousandths: 10, turns: 41)
        #expect(refusal(of: report.json) == "impossible-count")
        report = ReportFixtures.full()
        report.probation = ProbationEvidence(channel: .tail, bad: 21, turns: 20, logE: 0)
        #expect(refusal(of: report.json) == "impossible-count")
    }

    @Test func `lets a clock run ahead by five minutes and no more`() {
        var report = ReportFixtures.minimal()
        report.madeAt = now + 300
        #expect(refusal(of: report.json) == nil)
        report.madeAt = now + 301
        #expect(refusal(of: report.json) == "future-time")
    }

    @Test func `asks of each kind what it is about`() {
        for kind in ReportKind.allCases {
            let expected: String? =
                kind == .periodic || kind == .transition ? nil : "kind-mismatch"
            #expect(refusal(of: ReportFixtures.minimal(kind).json) == expected, "\(kind)")
            var whole = ReportFixtures.full()
            whole.kind = kind
            #expect(refusal(of: whole.json) == nil, "\(kind)")
        }
    }

    @Test func `reads a report one version newer as far as it knows it`() throws {
        let newer = ReportFixtures.changed(ReportFixtures.full().json) {
            $0["schema"] = "fieldfare.report/2"
            $0["reasons"] = ["over_cpu_budget", "a_reason_of_tomorrow"]
            $0["humidity"] = 40
            $0["smoke"] = ReportFixtures.changed($0["smoke"] ?? .null) { $0["joules"] = 3 }
        }
        let report = try Report(newer)
        #expect(report.reasons == [.overCPUBudget, .other])
        #expect(report.tally == ReportFixtures.full().tally)
        let signed = try SignedReport(
            ["signed": newer, "signature": .string(String(repeating: "ab", count: 64))], at: now)
        #expect(signed.signedBytes == newer.canonicalBytes)
        #expect(signed.json["signed"] == newer)
    }

    @Test func `takes a signed report apart without touching what was signed`() throws {
        let report = ReportFixtures.full()
        let signature = [UInt8](0..<64)
        let signed = try SignedReport(report.signed(with: signature), at: now)
        #expect(signed.report == report)
        #expect(signed.signature == signature)
        #expect(signed.signedBytes == report.signedBytes)
    }

    @Test func `refuses a signed report that is not whole`() {
        let json = ReportFixtures.full().signed(with: [UInt8](0..<64))
        let broken = [
            ReportFixtures.changed(json) { $0["signature"] = "00" },
            ReportFixtures.changed(json) { $0["signature"] = nil },
            ReportFixtures.changed(json) { $0["note"] = "hello" },
            ReportFixtures.changed(json) { $0["signed"] = nil },
            .array([]),
        ]
        for json in broken {
            #expect(throws: TelemetryError.self) { try SignedReport(json, at: now) }
        }
    }

    @Test func `says what it expected and what it got`() {
        let errors: [(TelemetryError, String)] = [
            (
                .unknownSchema("x/9"),
                "report: expected schema fieldfare.report/1, got 'x/9'"
            ),
            (
                .wrongContext("y"),
                "report: expected context fieldfare.device-report, got 'y'"
            ),
            (
                .impossibleCount(field: "counters.errors", limit: 3, found: 4),
                "report: field 'counters.errors': expected at most 3, got 4"
            ),
            (
                .futureTime(field: "made_at", limit: .epoch, found: .epoch + 1),
                "report: field 'made_at': expected at most 1970-01-01T00:00:00Z, got 1970-01-01T00:00:01Z"
            ),
            (
                .histogram(.truncated, offset: 3),
                "histogram at byte 3: expected more bytes, got something else"
            ),
            (
                .kindMismatch(kind: .smoke, field: "smoke"),
                "report: expected a smoke report with the right fields, got 'smoke' wrong"
            ),
        ]
        for (error, text) in errors { #expect(error.description == text) }
    }

    @Test func `writes a traceparent as W3C has it`() throws {
        let trace = try #require(TraceID("4bf92f3577b34da6a3ce929d0e0e4736"))
        #expect(
            trace.traceparent(span: 0x00f0_67aa_0ba9_02b7)
                == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(TraceID(String(repeating: "0", count: 32)) == nil)
        #expect(TraceID("4bf9") == nil)
    }
}
