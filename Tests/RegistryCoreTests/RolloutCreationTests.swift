import Cryptography
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

/// What a creation and a check refuse, all of it at once, and what they warn of.
struct RolloutCreationTests {
    /// A channel on release 1.0.0, below which its devices may not go, and release 1.1.0 that waits.
    struct Scene {
        let registry = TestRegistry()
        let next: SampleBundle
        var now = UTCTime(clamping: 1_764_000_000)

        init(devices: Int = 2, releases: Threshold = .two) throws {
            let floor = try #require(SemanticVersion("1.0.0"))
            try registry.found(releases: releases, at: now)
            var first = ControllerTests.policy.object ?? [:]
            first["hold_back"] = nil
            first["stages"] = [["name": "all", "least_soak_s": 1_800, "required_blind_spot": [:]]]
            try registry.release(
                "1.0.0", replaces: [], policy: .object(first), rollbackFloor: floor, at: now)
            for number in 0..<devices {
                let device = TestDevice("\(number)", model: registry.model, labels: ["office"])
                try registry.enrol(device, at: now)
            }
            next = try registry.release(
                "1.1.0", replaces: ["1.0.0"], policy: ControllerTests.policy, at: now)
            try create("1.0.0", isInitial: true)
            try order(.start)
            now = now + 1_800
            try order(.advance)
        }

        @discardableResult
        func create(
            _ version: String = "1.1.0", policy: String = "standard", isInitial: Bool = false,
            acknowledges: Bool = true, turnsPerDay: Int64 = 40, in channel: ChannelName = .main
        ) throws -> RolloutStatus {
            try registry.desk.create(
                RolloutRequest(
                    model: registry.model, channel: channel,
                    candidate: #require(SemanticVersion(version)),
                    policy: #require(AttributeName(policy)), isInitial: isInitial,
                    acknowledges: acknowledges, turnsPerDay: turnsPerDay),
                by: registry.admin, at: now)
        }

        func order(_ order: RolloutOrder, in channel: ChannelName = .main) throws {
            _ = try registry.desk.order(
                RolloutInstruction(order, leavesNoModel: order == .rollback), registry.model,
                channel, by: registry.admin, at: now)
        }

        /// The policy of 1.1.0, changed, and live under the name `broken`.
        func slip(_ change: (inout Policy) -> Void) throws -> Policy {
            var policy = try registry.policy(
                of: next, replaces: ["1.0.0"], ControllerTests.policy, at: now)
            change(&policy)
            let bytes = policy.json.canonicalBytes
            try registry.upload(bytes)
            let name = try #require(AttributeName("broken"))
            try registry.slip(at: now) { targets in
                targets.targets[.policy(of: registry.model, next.manifest.version, name: name)] =
                    TargetDescription(of: bytes)
            }
            return policy
        }

        /// What the creation refuses with, which leaves no trace.
        func problems(_ create: () throws -> RolloutStatus) throws -> [String] {
            let before = try registry.auditRecords()
            let error = #expect(throws: RegistryError.self) { try create() }
            #expect(try registry.auditRecords() == before)
            guard case .refusedByPolicy(let problems) = error else {
                Issue.record("\(String(describing: error))")
                return []
            }
            return problems
        }

        func check(
            _ policy: Policy, turnsPerDay: Int64 = 40
        ) throws -> RolloutCheck {
            let json: JSON = [
                "policy": policy.json, "turns_per_day": .integer(turnsPerDay), "channel": "main",
            ]
            return try registry.desk.check(
                RolloutCheckRequest(json), by: registry.admin, at: now)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [String]
        let change: @Sendable (inout Policy) -> Void

        init(
            _ what: String, _ words: String..., change: @escaping @Sendable (inout Policy) -> Void
        ) {
            testDescription = what
            self.words = words
            self.change = change
        }
    }

    private static func name(_ text: String) -> AttributeName {
        guard let name = AttributeName(text) else { preconditionFailure("constants are names") }
        return name
    }

    static let cases: [Case] = [
        Case(
            "overlapping",
            "field 'stages[0].cap': expected at most 100% together with the hold-back's"
        ) { $0.stages[0].quota.cap = BasisPoints(clamping: 5_001) },
        Case("shrinking", "field 'stages[1].where': expected all that the stage before reaches") {
            $0.stages[1].where = Where(regions: [name("eu")])
        },
        Case("unreachable", "field 'stages[1]': expected a start before not_after") {
            $0.notAfter = $0.notBefore + 3_600
        },
        Case("another region", "field 'stages[0].where.regions': expected one of eu, got 'mars'") {
            $0.stages[0].where = Where(regions: [name("mars")])
        },
        Case("another class", "where.device_classes': expected one of hub, got 'boat'") {
            $0.stages[0].where = Where(deviceClasses: [name("boat")])
        },
        Case("another label", "where.labels': expected one of office, got 'beta'") {
            $0.stages[0].where = Where(labels: [name("beta")])
        },
        Case("another locale", "where.locales': expected one of en-GB, got 'de-DE'") {
            $0.stages[0].where = Where(locales: [name("de-DE")])
        },
        Case("no evidence", "field 'stages[0].required_blind_spot': expected a metric") {
            $0.stages[0].requiredBlindSpot = [:]
        },
        Case("another manifest", "field 'candidate': expected the manifest that is signed, ") {
            $0.candidate = BundleReference(
                version: $0.candidate.version, sha256: SHA256.digest(of: [1]), length: 1)
        },
        Case("another baseline", "baseline: expected one that the policy replaces, got 1.0.0") {
            $0.replaces = [VersionRange("0.1.0")].compactMap(\.self)
        },
        Case("nothing to replace", "baseline: expected none for a first release, got 1.0.0") {
            $0.replaces = []
            $0.holdBack = .none
        },
        Case("over", "field 'not_after': expected a moment to come") {
            $0.notBefore = UTCTime(clamping: 1)
            $0.notAfter = UTCTime(clamping: 10_000)
        },
        Case(
            "several", "stages[0].cap", "stages[1].where", "got 'mars'", "is signed",
            "that the policy replaces, got 1.0.0"
        ) {
            $0.stages[0].quota.cap = BasisPoints(clamping: 5_001)
            $0.stages[0].where = Where(regions: [name("mars"), name("eu")])
            $0.stages[1].where = Where(regions: [name("eu")])
            $0.candidate = BundleReference(
                version: $0.candidate.version, sha256: SHA256.digest(of: [1]), length: 1)
            $0.replaces = [VersionRange("0.1.0")].compactMap(\.self)
        },
    ]

    @Test(arguments: cases)
    func `a creation and a check refuse the same, all at once`(item: Case) throws {
        let scene = try Scene()
        let policy = try scene.slip(item.change)
        let found = try scene.problems { try scene.create(policy: "broken") }
        #expect(found.count == item.words.count, "\(found)")
        for word in item.words { #expect(found.contains { $0.contains(word) }, "\(found)") }
        let check = try scene.check(policy)
        #expect(check.problems == found)
        #expect(check.json["state"] == "refused")
        #expect(check.notes == [])
    }

    @Test func `a candidate that is not signed any more is refused`() throws {
        let scene = try Scene()
        let place = TargetPath.manifest(of: scene.registry.model, scene.next.manifest.version)
        try scene.registry.slip(at: scene.now) { $0.targets[place] = nil }
        #expect(
            try scene.problems { try scene.create() } == [
                "field 'candidate': expected a signed manifest, got \(scene.next.reference.sha256)"
            ])
        #expect(
            try scene.problems { try scene.create(policy: "hasty") } == [
                "policy 'policies/commands-en/1.1.0.hasty.json': expected one that is live, got none",
                "candidate: expected a bundle that is live, got none of version 1.1.0",
            ])
    }

    @Test func `a candidate below the baseline's rollback floor is refused`() throws {
        let scene = try Scene()
        try scene.registry.release(
            "0.9.0", replaces: ["1.0.0"], policy: ControllerTests.policy, at: scene.now)
        #expect(
            try scene.problems { try scene.create("0.9.0") } == [
                "field 'candidate.version': expected at least the rollback floor, 1.0.0, got 0.9.0"
            ])
        // Where the policy is not there either, that is told as well.
        #expect(
            try scene.problems { try scene.create("0.9.0", policy: "hasty", isInitial: true) } == [
                "policy 'policies/commands-en/0.9.0.hasty.json': expected one that is live, got none",
                "initial: expected a channel without a release, got one on 1.0.0",
                "field 'candidate.version': expected at least the rollback floor, 1.0.0, got 0.9.0",
            ])
    }

    @Test func `a version that was withdrawn in another channel is refused until it is lifted`()
        throws
    {
        let scene = try Scene()
        let night = try #require(ChannelName("night"))
        _ = try scene.slip {
            $0.replaces = []
            $0.holdBack = .none
        }
        try scene.create(policy: "broken", isInitial: true, in: night)
        for order in [RolloutOrder.start, .rollback] { try scene.order(order, in: night) }
        #expect(
            try scene.problems { try scene.create() } == [
                "field 'candidate.version': expected a version that is not withdrawn, got 1.1.0"
            ])
        try scene.registry.lift(scene.next.reference, until: scene.now, at: scene.now)
        #expect(try scene.create().json["state"] == "created")
    }

    @Test func `a version that was withdrawn in this channel is told once`() throws {
        let scene = try Scene()
        try scene.create()
        for order in [RolloutOrder.start, .rollback] { try scene.order(order) }
        #expect(
            try scene.problems { try scene.create() } == [
                "field 'candidate.version': expected a version that is not withdrawn, got 1.1.0"
            ])
    }

    // MARK: Warnings

    @Test func `warnings are acknowledged or nothing is created, and the log and status keep them`()
        throws
    {
        let scene = try Scene()
        let before = try scene.registry.auditRecords()
        let error = #expect(throws: RegistryError.self) {
            try scene.create(acknowledges: false)
        }
        #expect(try scene.registry.auditRecords() == before)
        guard case .notAcknowledged(let warnings) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(warnings.count == 4)
        for words in ["expected to see latency_p95 of ", "control devices at least"] {
            #expect(warnings.count { $0.contains(words) } == 2, "one of each stage")
        }
        #expect(error?.code == .warningsNotAcknowledged)
        let kept = JSON.array(warnings.map { .string($0) })
        #expect(try scene.create().json["acknowledged"] == kept)
        #expect(
            try scene.registry.auditRecords().last?.json?["facts"]?["acknowledged"] == kept)
        let status = try scene.registry.desk.status(
            scene.registry.model, .main, by: scene.registry.admin, at: scene.now)
        #expect(status.json["acknowledged"] == kept)
        #expect(try RolloutRecord(reading: status.rollout.json) == status.rollout)
    }

    @Test(arguments: [(.one, true), (.two, false)] as [(Threshold, Bool)])
    func `warns of an approval that one person alone can sign`(
        releases: Threshold, warns: Bool
    ) throws {
        let scene = try Scene(devices: 120, releases: releases)
        let policy = try scene.slip { $0.stages[1].promote = .signed }
        let expected =
            warns
            ? [
                "stage 'stable': expected two people to sign its approval (promote: signed), "
                    + "got role 'model.commands-en' with a threshold of 1: one signature is enough"
            ] : []
        #expect(try scene.check(policy, turnsPerDay: 4_000).warnings == expected)
        guard warns else {
            _ = try scene.create(policy: "broken", acknowledges: false, turnsPerDay: 4_000)
            return
        }
        #expect(throws: RegistryError.notAcknowledged(expected)) {
            try scene.create(policy: "broken", acknowledges: false, turnsPerDay: 4_000)
        }
    }

    @Test func `a fleet that is large and busy enough leaves nothing to acknowledge`() throws {
        let scene = try Scene(devices: 120)
        let created = try scene.create(acknowledges: false, turnsPerDay: 4_000)
        #expect(created.json["acknowledged"] == nil)
        #expect(
            try scene.registry.auditRecords().last?.json?["facts"]?["acknowledged"] == nil)
        #expect(throws: RegistryError.self) { try scene.create(acknowledges: false) }
    }

    @Test func `a first release whose turns would never count is warned of`() throws {
        let scene = try Scene(devices: 120)
        func warnings(burnInTurns: Int) throws -> [String] {
            let policy = try scene.slip {
                $0.replaces = []
                $0.burnInTurns = burnInTurns
            }
            return try scene.check(policy, turnsPerDay: 4_000).warnings
        }
        #expect(try warnings(burnInTurns: 10) == [])
        let found = try warnings(burnInTurns: 8_000)
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.contains("expected turns that count, got none") })
    }

    @Test func `a channel that nobody follows is one warning, and none for a first release`() throws
    {
        let scene = try Scene(devices: 0)
        #expect(
            throws: RegistryError.notAcknowledged([
                "fleet: expected devices that follow channel 'main', got none: "
                    + "no stage can show what its policy asks for"
            ])
        ) { try scene.create(acknowledges: false) }
        let fresh = TestRegistry()
        try fresh.found(at: scene.now)
        try fresh.release("1.0.0", replaces: [], at: scene.now)
        let request = try RolloutRequest([
            "model": "commands-en", "candidate": "1.0.0", "policy": "standard", "initial": true,
        ])
        let created = try fresh.desk.create(request, by: fresh.admin, at: scene.now)
        #expect(created.json["acknowledged"] == nil)
    }

    // MARK: Before publishing

    @Test func `a check before the publication says so, and finds what it can`() throws {
        let scene = try Scene()
        let bundle = try SampleBundle(
            scene.registry.model, try #require(SemanticVersion("1.2.0")))
        let policy = try scene.registry.policy(
            of: bundle, replaces: ["1.0.0"],
            ControllerTests.policy, at: scene.now)
        let records = try scene.registry.auditRecords()
        let check = try scene.check(policy)
        #expect(check.problems == [] && check.warnings.count == 4)
        #expect(check.notes == ["candidate: 1.2.0 is not live yet; to publish it is to sign it"])
        #expect(check.json["state"] == "good")
        #expect(check.json["type"] == "rollout_check")
        var lost = policy
        lost.stages[0].where = Where(regions: [Self.name("mars")])
        lost.replaces = [VersionRange("1.1.0")].compactMap(\.self)
        #expect(try scene.check(lost).problems.count == 2)
        // While a rollout is under way nobody knows the baseline that this one will find.
        try scene.create()
        try scene.order(.start)
        let meanwhile = try scene.check(lost)
        #expect(meanwhile.problems.count == 1)
        #expect(meanwhile.notes.count == 2)
        #expect(meanwhile.notes[1].hasPrefix("rollout: 1.1.0 is running in channel 'main'; "))
        let own = try scene.registry.auditRecords().dropFirst(records.count)
        #expect(own.allSatisfy { $0.json?["subject"] != "rollout_check" })
    }

    @Test func `a check is for those who publish, operate or read, and is read strictly`() throws {
        let scene = try Scene()
        let policy = try scene.slip { _ in }
        let request = try RolloutCheckRequest(["policy": policy.json])
        #expect(request.channel == .main && request.turnsPerDay == nil)
        let registry = scene.registry
        for verb in [Scope.Verb.publish, .operate, .read] {
            let actor = Principal(
                id: .registry, name: "p", scopes: [Scope(verb, registry.model)])
            _ = try registry.desk.check(request, by: actor, at: scene.now)
        }
        let other = try #require(ModelName("commands-de"))
        for scope in [Scope(.sign), Scope(.publish, other)] {
            let actor = Principal(id: .registry, name: "p", scopes: [scope])
            #expect(throws: RegistryError.forbidden(needs: Scope(.read, registry.model))) {
                try registry.desk.check(request, by: actor, at: scene.now)
            }
        }
        var broken = try #require(policy.json.object)
        broken["max_pins"] = "many"
        #expect(
            throws: FieldError(path: "policy.max_pins", expected: "an integer", found: "a string")
        ) { try RolloutCheckRequest(["policy": .object(broken)]) }
        #expect(throws: FieldError.self) {
            try RolloutCheckRequest(["policy": policy.json, "share": 1])
        }
        #expect(throws: FieldError.self) { try RolloutCheckRequest(["channel": "main"]) }
    }
}
