import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct PolicyTests {
    @Test func `reads back what it wrote, and writes the same bytes`() throws {
        let policy = World().policy
        let bytes = policy.json.canonicalBytes
        let read = try Policy(parsing: bytes)
        #expect(read == policy)
        #expect(read.json.canonicalBytes == bytes)
    }

    @Test func `refuses other schemas, unknown fields and unsorted lists`() throws {
        func refusal(_ change: (inout JSONObject) -> Void) -> DocumentError? {
            guard case .object(var fields) = World().policy.json else { return nil }
            change(&fields)
            do {
                _ = try Policy(parsing: JSON.object(fields).canonicalBytes)
                return nil
            } catch { return error }
        }
        #expect(
            refusal { $0["schema"] = "fieldfare.policy/2" }
                == .wrong(
                    FieldError(
                        path: "schema", expected: "fieldfare.policy/1",
                        found: "'fieldfare.policy/2'")))
        #expect(
            refusal { $0["colour"] = 1 }
                == .wrong(
                    FieldError(
                        path: "colour", expected: "a field of this schema", found: "an unknown one")
                ))
        #expect(
            refusal { $0["excludable"] = ["region", "cohort"] }
                == .wrong(
                    FieldError(
                        path: "excludable[1]", expected: "each once, in ascending order",
                        found: "'cohort' after its place")))
        #expect(refusal { $0["replaces"] = ["1.4.0..<1.0.0"] } != nil)
        #expect(refusal { $0["excludable"] = ["planet"] } != nil)
        #expect(refusal { $0["excludable"] = [1] } != nil)
        #expect(throws: DocumentError.malformed(.unexpectedEnd(offset: 1))) {
            try Policy(parsing: [0x7B])
        }
        #expect(throws: DocumentError.malformed(.tooLong(limit: 65_536, found: 65_537))) {
            try Policy(parsing: [UInt8](repeating: 0x20, count: 65_537))
        }
        #expect(
            DocumentError.malformed(.unexpectedEnd(offset: 1)).description
                == "JSON at byte 1: expected more, got the end of the text")
        #expect(
            refusal { $0["max_pins"] = -1 }?.description
                == "field 'max_pins': expected 0 to 10000, got -1")
    }

    @Test func `the defaults are those of the page`() throws {
        let policy = World().policy
        let statistics = policy.statistics
        #expect(statistics.alpha == 10 && statistics.alphaPause == 100)
        #expect(statistics.sizeFraction == 667 && statistics.pauseFraction == 333)
        #expect(statistics.n0 == 30 && statistics.rho0 == 20)
        #expect(statistics.minTurnsP95 == 20 && statistics.minWeight == 20)
        #expect(statistics.minDevicesTreated == 3 && statistics.minDevicesControl == 5)
        #expect(statistics.coverage == 900 && statistics.minMissing == 2)
        #expect(statistics.jump == 1_500 && statistics.jumpTurns == 40)
        #expect(statistics.attemptsQ0 == 20 && statistics.fleetPart == 500)
        #expect(policy.checkInDeadline == 12 * hour)
        #expect(policy.burnInSeconds == 3 * hour && policy.burnInTurns == 10)
        #expect(policy.gateInterval == 900)
        #expect(policy.freshness == day)
        #expect(policy.onInsufficientEvidence == .pause)
        #expect(policy.stages.map(\.name) == [name("beta"), name("canary"), name("stable")])
        #expect(policy.stages.map(\.quota.share.value) == [100, 1_000, 10_000])
        #expect(policy.stages.map(\.leastSoak) == [day, day, day])
        #expect(policy.stages.map(\.mostSoak) == [3 * day, 3 * day, 3 * day])
        #expect(policy.stages.map { $0.requiredBlindSpot[.latencyP95] } == [2_000, 1_600, 1_300])
        #expect(policy.stages.map { $0.requiredBlindSpot[.errors] } == [80, 50, 30])
        let limits = policy.gates.map { "\($0.metric.rawValue) \($0.limit ?? 0) \($0.accepted)" }
        #expect(
            limits == [
                "latency_p95 1300 1000", "errors 1500 1000", "false_positives 1150 1000",
                "escalations 1200 1000", "abandonment 1200 1000", "wer_proxy 1300 1000",
                "memory_per_turn 1500 1000", "cpu_per_turn 1500 1000", "attempts_failed 0 1000",
                "jumped 0 1000", "local_rollbacks 0 1000", "silent 0 1000",
            ])
        #expect(policy.gates.map(\.absolute)[1] == 50)
        let probation = policy.probation
        #expect(probation.turns == 240 && probation.leastTurns == 40)
        #expect(probation.seconds == 7 * 86_400 && probation.mostSeconds == 14 * 86_400)
        #expect(probation.alarm == 3_000 && probation.warmUpTurns == 10)
        #expect(probation.slow == 1_300 && probation.midQ0 == 450 && probation.tailQ0 == 120)
        #expect(probation.restarts == 2 && probation.restartWindow == 600)
        #expect(policy.problems() == [])
    }

    /// The stage sizes of the simulations: 50: 10/20/37; 200: 10/20/150; 2,000: 20/200/1,900; and so on.
    @Test(arguments: [
        (50, 10, 20, 37), (200, 10, 20, 150), (2_000, 20, 200, 1_900),
        (20_000, 200, 2_000, 19_000), (200_000, 2_000, 20_000, 190_000),
    ])
    func `the default quotas give the stage sizes of the simulations`(
        fleet: Int, beta: Int, canary: Int, stable: Int
    ) throws {
        let policy = World().policy
        #expect(policy.stages[0].quota.devices(of: fleet) == beta)
        #expect(policy.stages[1].quota.devices(of: fleet) == canary)
        #expect(fleet - policy.holdBack.devices(of: fleet) == stable)
    }

    @Test func `a range takes what lies in it`() throws {
        let single = try #require(VersionRange("1.3.0"))
        #expect(single.contains(version("1.3.0")) && !single.contains(version("1.3.1")))
        let open = try #require(VersionRange("1.0.0..<1.4.0"))
        #expect(open.contains(version("1.0.0")) && open.contains(version("1.4.0-rc.1")))
        #expect(!open.contains(version("1.4.0")) && !open.contains(version("0.9.9")))
        let closed = try #require(VersionRange("1.0.0-rc.1...1.4.0"))
        #expect(closed.contains(version("1.4.0")) && closed.contains(version("1.0.0-rc.1")))
        #expect(!closed.contains(version("1.4.1")))
        for text in ["1.3.0", "1.0.0..<1.4.0", "1.0.0-rc.1...1.4.0"] {
            #expect(VersionRange(text)?.description == text)
        }
        for text in ["", "1.0", "..<1.4.0", "1.0.0..<", "1.4.0...1.4.0", "2.0.0..<1.0.0", "1..2"] {
            #expect(VersionRange(text) == nil)
        }
    }

    @Test func `a place covers another when it lets in all of it`() throws {
        let all = Where.everywhere
        let europe = Where(regions: [name("eu")])
        let hubs = Where(regions: [name("eu")], deviceClasses: [name("hub")])
        let both = Where(regions: [name("eu"), name("us")])
        #expect(all.covers(europe) && all.covers(all) && europe.covers(hubs) && both.covers(europe))
        #expect(!europe.covers(all) && !hubs.covers(europe) && !europe.covers(both))
        #expect(!Where(labels: [name("a")]).covers(Where(labels: [name("a"), name("b")])))
        let german = Where(locales: [name("de-AT"), name("de-DE")])
        #expect(all.covers(german) && !german.covers(all) && !europe.covers(german))
        #expect(german.covers(Where(locales: [name("de-DE")])))
    }

    @Test func `locales are written where there are any: a policy without keeps its bytes`()
        throws
    {
        let old: JSON = ["device_classes": [], "labels": [], "regions": ["eu"]]
        #expect(try Where(reading: old, at: "where") == Where(regions: [name("eu")]))
        #expect(Where(regions: [name("eu")]).json == old)
        let german = Where(locales: [name("de-DE"), name("de-AT")])
        #expect(german.json["locales"] == ["de-AT", "de-DE"])
        #expect(try Where(reading: german.json, at: "where") == german)
        let device = World().device.attributes
        #expect(!german.contains(device) && Where(locales: [device.locale]).contains(device))
        var fields = try #require(german.json.object)
        fields["locales"] = ["de-DE", "de-AT"]
        #expect(throws: FieldError.self) { try Where(reading: .object(fields), at: "where") }
    }

    @Test func `approvals and lifts read back what they wrote, strictly`() throws {
        let approval = Approval(
            model: World.model, policy: bundle("1.4.0").sha256, stage: name("stable"))
        #expect(try Approval(parsing: approval.json.canonicalBytes) == approval)
        let lift = Lift(
            model: World.model, version: version("1.4.0"), sha256: bundle("1.4.0").sha256,
            until: World.start)
        #expect(try Lift(parsing: lift.json.canonicalBytes) == lift)
        for document in [approval.json, lift.json] {
            for key in document.object?.keys.sorted() ?? [] {
                guard case .object(var fields) = document else { continue }
                fields[key] = nil
                let bytes = JSON.object(fields).canonicalBytes
                #expect(throws: DocumentError.self) { try Approval(parsing: bytes) }
                #expect(throws: DocumentError.self) { try Lift(parsing: bytes) }
            }
            guard case .object(var fields) = document else { continue }
            fields["more"] = 1
            let bytes = JSON.object(fields).canonicalBytes
            #expect(throws: DocumentError.self) { try Approval(parsing: bytes) }
            #expect(throws: DocumentError.self) { try Lift(parsing: bytes) }
        }
    }

    @Test func `a release document is what its name says`() throws {
        let approval = Approval(
            model: World.model, policy: bundle("1.4.0").sha256, stage: name("stable"))
        let lift = Lift(
            model: World.model, version: version("1.4.0"), sha256: bundle("1.4.0").sha256,
            until: World.start)
        let policy = World().policy
        let documents: [(String, ReleaseDocument.Kind, JSON)] = [
            ("1.4.0.standard.json", .policy, policy.json),
            ("1.4.0.lifted.json", .policy, policy.json),
            ("1.4.0.standard.stable.approval.json", .approval, approval.json),
            ("1.4.0.lift.json", .lift, lift.json),
            ("1.4.0-rc.1.lift.json", .lift, lift.json),
        ]
        for (file, kind, _) in documents {
            let path = try #require(TargetPath("policies/commands-en/\(file)"))
            #expect(ReleaseDocument.Kind(path) == kind, "\(file)")
            for (_, other, json) in documents {
                let read = try? ReleaseDocument(parsing: json.canonicalBytes, at: path)
                #expect((read != nil) == (kind == other), "\(other) at \(file)")
            }
        }
        let elsewhere = try #require(TargetPath("bundles/commands-en/1.4.0.lift.json"))
        #expect(ReleaseDocument.Kind(elsewhere) == nil)
    }
}
