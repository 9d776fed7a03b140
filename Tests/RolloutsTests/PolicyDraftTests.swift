import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct PolicyDraftTests {
    /// Throws the only problem, where there is one.
    static func complete(_ more: JSONObject) throws(FieldError) -> Policy {
        let draft: JSONObject = [
            "model": "commands-en", "candidate": "1.4.0", "replaces": "1.3.0",
        ]
        do {
            return try PolicyDraft.complete(
                .object(draft.merging(more) { $1 }), candidate: bundle("1.4.0"), now: World.start)
        } catch {
            #expect(error.problems.count == 1)
            throw error.problems[0]
        }
    }

    @Test func `every value that cannot be read is named at once, in order`() throws {
        let draft: JSON = [
            "model": "commands-en", "candidate": "1.4.0", "replaces": "1.3.0", "not_before": "soon",
            "not_after": "tomorrow", "min_dwell": "x",
            "stages": [["name": "beta", "share": "lots"]],
        ]
        let error = try #require(throws: PolicyDraft.Malformed.self) {
            try PolicyDraft.complete(draft, candidate: bundle("1.4.0"), now: World.start)
        }
        #expect(
            error.problems.map(\.path) == [
                "min_dwell", "not_after", "not_before", "stages[0].share",
            ])
    }

    /// Numbers under which nothing could ever stop a release, and those next to them that are taken.
    @Test(
        arguments: [
            ("fleet_part", 0, 1), ("fleet_part", 1_000, 999), ("coverage", 499, 500),
            ("min_missing", 1_001, 1_000),
        ] as [(String, Int64, Int64)])
    func `statistics that take the brake away are refused`(
        key: String, wrong: Int64, right: Int64
    ) throws {
        let error = try #require(throws: FieldError.self) {
            try Self.complete(["statistics": .object([key: .integer(wrong)])])
        }
        #expect(error.path == "statistics.\(key)")
        #expect(throws: Never.self) {
            try Self.complete(["statistics": .object([key: .integer(right)])])
        }
    }

    @Test(arguments: ["gates", "without_gates"])
    func `gates that are no list are refused, and not dropped`(key: String) throws {
        let values: [JSON] = [["metric": "errors", "absolute": 10], 5, .null]
        for value in values {
            let error = try #require(throws: FieldError.self) { try Self.complete([key: value]) }
            #expect(error.path == key)
            #expect(error.expected == "an array")
        }
    }

    @Test func `three lines make a whole policy`() throws {
        let policy = try Self.complete([:])
        #expect(policy.problems() == [])
        #expect(policy.notBefore == World.start)
        #expect(policy.notAfter == World.start + 90 * day)
        #expect(policy.candidate == bundle("1.4.0"))
        #expect(policy.maxPins == 0)
        #expect(policy.replaces == [VersionRange(version("1.3.0"))])
    }

    @Test func `the example in manifests is a policy without problems`() throws {
        let text = String(decoding: try projectFile("manifests/rollout.yaml"), as: UTF8.self)
        let policy = try PolicyDraft.complete(
            PlainYAML.read(text), candidate: bundle("1.4.0"), now: World.start)
        #expect(policy.problems() == [])
        #expect(policy.notBefore == UTCTime(iso8601: "2026-11-23T08:00:00Z"))
        #expect(policy.replaces == [made(VersionRange("1.0.0..<1.4.0"))])
        #expect(policy.stages.map(\.quota.share.value) == [100, 1_000, 10_000])
        #expect(policy.stages.map(\.quota.leastDevices) == [10, 20, 0])
        #expect(policy.stages.map(\.promote) == [.auto, .auto, .manual])
        #expect(policy.stages[0].where.labels == [name("office")])
        #expect(policy.stages[0].requiredBlindSpot == [.latencyP95: 2_000, .errors: 80])
        #expect(policy.stages[1].ramp == 6 * hour)
        #expect(policy.gates.count == 11)
        let latency = try #require(policy.gates.first)
        #expect(latency.limit == 1_300 && latency.accepted == 1_030 && latency.clock == .cpu)
        #expect(policy.download.meteredBudget == DownloadRules.Budget(bytes: 16 << 20, retries: 10))
        #expect(policy.download.leastBattery == 300)
        #expect(policy.probation.mostSeconds == 14 * 86_400)
    }

    @Test(arguments: ["rollout", "signed-rollout", "first-rollout"])
    func `what the examples say is what the schema says`(name: String) throws {
        let text = String(decoding: try projectFile("manifests/\(name).yaml"), as: UTF8.self)
        let draft = PlainYAML.read(text)
        let version = try #require(draft["candidate"]?.string)
        let policy = try PolicyDraft.complete(draft, candidate: bundle(version), now: World.start)
        #expect(policy.problems() == [])
        #expect(policy.isInitial == (name == "first-rollout"))
        #expect(policy.stages.last?.promote == (name == "signed-rollout" ? .signed : .manual))
        let schema = try JSON(
            parsing: projectFile("manifests/schemas/policy.schema.json"), limit: 1 << 20)
        #expect(SchemaValidator(root: schema).problems(policy.json) == [])
    }

    @Test func `a first release has no hold-back by default`() throws {
        let policy = try Self.complete(["replaces": []])
        #expect(policy.isInitial)
        #expect(policy.holdBack == .none)
        #expect(policy.problems() == [])
    }

    @Test func `stages take what they leave out by their place`() throws {
        let policy = try Self.complete([
            "stages": [
                ["name": "one", "share": "2%"], ["name": "two", "share": "40%"],
                ["name": "three", "share": "60%"], ["name": "four"],
            ]
        ])
        #expect(policy.stages.map(\.quota.share.value) == [200, 4_000, 6_000, 10_000])
        #expect(policy.stages.map(\.quota.cap.value) == [2_500, 5_000, 6_000, 10_000])
        #expect(policy.stages.map(\.quota.leastDevices) == [10, 20, 20, 0])
        #expect(policy.stages.map { $0.requiredBlindSpot[.errors] } == [80, 50, 50, 30])
        #expect(policy.problems() == [])
        let single = try Self.complete(["stages": [["name": "all"]]])
        #expect(single.stages.map(\.quota.share) == [.all])
    }

    @Test func `gates are completed, replaced and left out by their metric`() throws {
        let policy = try Self.complete([
            "gates": [["metric": "latency_p95", "limit": "1.15", "clock": "cpu_ms"]],
            "without_gates": ["wer_proxy", "silent"],
        ])
        #expect(policy.gates.count == 10)
        #expect(
            policy.gates[0]
                == Gate(metric: .latencyP95, limit: 1_150, accepted: 1_000, clock: .cpu))
        #expect(!policy.gates.contains { $0.metric == .silent || $0.metric == .werProxy })
        #expect(
            throws: FieldError(
                path: "without_gates", expected: Metric.expected, found: "'charm'")
        ) { try Self.complete(["without_gates": ["charm"]]) }
    }

    @Test func `a filter may name locales in any order, or one alone`() throws {
        let policy = try Self.complete([
            "stages": [
                ["name": "one", "where": ["locales": "de-DE"]],
                ["name": "two", "where": ["locales": ["de-DE", "de-AT"]]], ["name": "three"],
            ]
        ])
        #expect(policy.stages[0].where == Where(locales: [name("de-DE")]))
        #expect(policy.stages[1].where == Where(locales: [name("de-AT"), name("de-DE")]))
        #expect(policy.stages[2].where == .everywhere)
        #expect(policy.problems() == [])
    }

    @Test func `blind spots are those that are named`() throws {
        let policy = try Self.complete([
            "stages": [["name": "all", "required_blind_spot": ["errors": "4%"]]]
        ])
        #expect(policy.stages[0].requiredBlindSpot == [.errors: 40])
    }

    @Test func `numbers may have units`() throws {
        let policy = try Self.complete([
            "freshness": "36h", "min_dwell_s": 7, "check_in_deadline": "720m",
            "report_interval": "90s", "not_before": "2026-11-21T05:06:07Z",
            "statistics": ["alpha": "2%", "rho0": "0.05"], "hold_back": ["share": "0.25%"],
            "download": ["budgets": ["metered": ["bytes": "1.5GiB"]]],
            "burn_in": ["seconds": "0.5h"], "probation": ["most": "15d"],
        ])
        #expect(policy.freshness == 36 * hour)
        #expect(policy.minDwell == 7)
        #expect(policy.checkInDeadline == 12 * hour)
        #expect(policy.reportInterval == 90)
        #expect(policy.notBefore.description == "2026-11-21T05:06:07Z")
        #expect(policy.notAfter == policy.notBefore + 90 * day)
        #expect(policy.statistics.alpha == 20 && policy.statistics.rho0 == 50)
        #expect(policy.holdBack.share == basisPoints(25))
        #expect(policy.download.meteredBudget.bytes == 3 << 29)
        #expect(policy.burnInSeconds == 1_800)
        #expect(policy.probation.mostSeconds == 15 * 86_400)
    }

    @Test(arguments: [
        ("freshness", "24 h"), ("freshness", "h"), ("freshness", "1.23456h"), ("freshness", "-1h"),
        ("freshness", "1e3"), ("freshness", ""), ("min_dwell_s", "soon"), ("not_before", "today"),
        ("not_before", "2026-11-21"), ("freshness", "9223372036854775807d"),
    ])
    func `refuses a number that it cannot read exactly`(key: String, text: String) throws {
        let error = try #require(throws: FieldError.self) {
            try Self.complete([key: .string(text)])
        }
        #expect(error.path == key)
        #expect(error.found == "'\(text)'")
    }

    @Test func `refuses what does not belong to the bundle, or is written twice`() throws {
        #expect(
            throws: FieldError(
                path: "candidate", expected: "the bundle's version, 1.4.0", found: "'1.5.0'")
        ) { try Self.complete(["candidate": "1.5.0"]) }
        #expect(
            throws: PolicyDraft.Malformed(problems: [
                FieldError(
                    path: "candidate", expected: "the bundle's version, 1.4.0", found: "'nothing'")
            ])
        ) {
            try PolicyDraft.complete("text", candidate: bundle("1.4.0"), now: World.start)
        }
        #expect(throws: FieldError.self) {
            try Self.complete(["freshness": "1h", "freshness_s": 3_600])
        }
        #expect(throws: FieldError(path: "stages", expected: "an array", found: "an object")) {
            try Self.complete(["stages": ["name": "beta"]])
        }
        #expect(
            throws: FieldError(
                path: "stagse", expected: "a field of this schema", found: "an unknown one")
        ) { try Self.complete(["stagse": []]) }
    }
}
