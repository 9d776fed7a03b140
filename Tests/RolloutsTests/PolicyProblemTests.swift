import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct PolicyProblemTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: PolicyProblem.Code
        let path: String
        let also: [PolicyProblem.Code]
        let context: PolicyContext
        let breakIt: @Sendable (inout Policy) -> Void

        init(
            _ code: PolicyProblem.Code, _ path: String, also: [PolicyProblem.Code] = [],
            in context: PolicyContext = PolicyContext(),
            _ breakIt: @escaping @Sendable (inout Policy) -> Void = { _ in }
        ) {
            self.code = code
            self.path = path
            self.also = also
            self.context = context
            self.breakIt = breakIt
        }

        var testDescription: String { code.rawValue }
    }

    @Test(arguments: cases) func `finds`(_ item: Case) throws {
        var policy = World().policy
        item.breakIt(&policy)
        let problems = policy.problems(in: item.context)
        #expect(problems.contains { $0.code == item.code && $0.path == item.path })
        #expect(Set(problems.map(\.code)) == Set([item.code] + item.also))
    }

    @Test func `every problem has a case`() {
        #expect(Set(Self.cases.map(\.code)) == Set(PolicyProblem.Code.allCases))
    }

    @Test func `lists everything at once`() throws {
        var policy = World().policy
        policy.stages[1].quota.share = basisPoints(50)
        policy.stages[2].quota.cap = basisPoints(40)
        policy.checkInDeadline = 2 * day
        policy.gates.append(policy.gates[0])
        let codes = policy.problems().map(\.code)
        #expect(
            Set(codes) == [
                .shareShrinks, .capShrinks, .capBelowShare, .soakWithinDeadline, .gateTwice,
            ])
        #expect(codes.count == 7)
        #expect(
            policy.problems().first?.description
                == "field 'stages[1].share': expected at least 1%, as in the stage before, got 0.5%"
        )
    }

    static let shares: [Case] = [
        Case(.noStages, "stages") { $0.stages = [] },
        Case(.stageNamedTwice, "stages[1].name") { $0.stages[1].name = name("beta") },
        Case(.shareShrinks, "stages[1].share") { $0.stages[1].quota.share = basisPoints(99) },
        Case(.capShrinks, "stages[1].cap") { $0.stages[1].quota.cap = basisPoints(2_499) },
        Case(.whereShrinks, "stages[1].where") {
            $0.stages[1].where = Where(regions: [name("eu")])
        },
        Case(.stageAddsNobody, "stages[1]") { $0.stages[1].quota = $0.stages[0].quota },
        Case(.stageAddsNobody, "stages[0].share") {
            $0.stages[0].quota.share = .none
            $0.stages[0].quota.leastDevices = 0
        },
        Case(.shareShrinks, "stages[1].least_devices", also: [.stageAddsNobody]) {
            $0.stages[1].quota = $0.stages[0].quota
            $0.stages[1].quota.leastDevices -= 1
        },
        Case(.capBelowShare, "stages[0].cap") { $0.stages[0].quota.cap = basisPoints(99) },
        Case(.capBelowShare, "hold_back.cap") { $0.holdBack.cap = basisPoints(499) },
        Case(.armsOverlap, "stages[1].cap") { $0.stages[1].quota.cap = basisPoints(7_501) },
        Case(.armsOverlap, "stages[2].cap") { $0.stages[2].quota.share = basisPoints(9_999) },
        Case(.noControl, "hold_back") { $0.holdBack = .none },
        Case(.controlOfFirstRelease, "hold_back") { $0.replaces = [] },
        Case(.replacesItself, "replaces") { $0.replaces = [made(VersionRange("1.0.0...1.4.0"))] },
    ]

    static let times: [Case] = [
        Case(.notAfterTooEarly, "not_after", also: [.stageUnreachable]) {
            $0.notAfter = $0.notBefore
        },
        Case(.stageUnreachable, "stages[2]") { $0.notAfter = $0.notBefore + 2 * day },
        Case(.soakEndsBeforeItBegins, "stages[0].most_soak_s") { $0.stages[0].mostSoak = day - 1 },
        Case(.rampLongerThanSoak, "stages[2].ramp_s") { $0.stages[2].ramp = day + 1 },
        Case(.soakWithinBurnIn, "stages[0].least_soak_s") { $0.burnInSeconds = day },
        Case(.soakWithinBurnInTurns, "burn_in.turns") { $0.burnInTurns = 300_000 },
        Case(.soakWithinDeadline, "stages[1].least_soak_s") {
            $0.stages[1].leastSoak = 12 * hour - 1
        },
        Case(.deadlineTooShort, "check_in_deadline_s") { $0.reportInterval = 6 * hour + 1 },
        Case(.probationEndsBeforeItBegins, "probation.least_turns") { $0.probation.turns = 39 },
        Case(.probationEndsBeforeItBegins, "probation.most_s") { $0.probation.mostSeconds = 1 },
    ]

    static let judgement: [Case] = [
        Case(.noGates, "gates", also: [.blindSpotWithoutGate]) { $0.gates = [] },
        Case(.gateTwice, "gates[12].metric") { $0.gates.append($0.gates[0]) },
        Case(.acceptedReachesLimit, "gates[0].accepted") { $0.gates[0].accepted = 1_300 },
        Case(.blindSpotWithoutGate, "stages[0].required_blind_spot.silent") {
            $0.stages[0].requiredBlindSpot[.silent] = 10
        },
        Case(.blindSpotWithoutGate, "stages[0].required_blind_spot.errors") {
            $0.gates.removeAll { $0.metric == .errors }
        },
        Case(.blindSpotOutOfRange, "stages[0].required_blind_spot.latency_p95") {
            $0.stages[0].requiredBlindSpot[.latencyP95] = 2
        },
        Case(.blindSpotOutOfRange, "stages[0].required_blind_spot.errors") {
            $0.stages[0].requiredBlindSpot[.errors] = 501
        },
        Case(.noEvidenceRequired, "stages[0].required_blind_spot") {
            $0.stages[0].requiredBlindSpot = [:]
        },
        Case(.noEvidenceRequired, "stages[2].required_blind_spot") {
            $0.stages[2].promote = .signed
            $0.stages[2].requiredBlindSpot = [:]
        },
        Case(.alphaAbovePause, "statistics.alpha") { $0.statistics.alphaPause = 10 },
        Case(.pauseAboveSize, "statistics.pause_fraction") { $0.statistics.pauseFraction = 668 },
    ]

    /// Hubs in the us, kiosks in the eu.
    static let splitFleet: PolicyContext = {
        var context = PolicyContext(
            regions: [name("eu"), name("us")], deviceClasses: [name("hub"), name("kiosk")])
        context.fleet = [("us", "hub"), ("eu", "kiosk")].map { region, deviceClass in
            DeviceAttributes(
                number: 0, region: name(region), deviceClass: name(deviceClass), labels: [],
                locale: name("en-GB"))
        }
        return context
    }()

    static let surroundings: [Case] = [
        Case(
            .unknownRegion, "stages[0].where.regions",
            in: PolicyContext(regions: [name("eu"), name("us")])
        ) { $0.stages[0].where = Where(regions: [name("mars")]) },
        Case(
            .unknownDeviceClass, "stages[0].where.device_classes",
            in: PolicyContext(deviceClasses: [name("hub")])
        ) { $0.stages[0].where = Where(deviceClasses: [name("boat")]) },
        Case(
            .unknownLabel, "stages[0].where.labels", in: PolicyContext(labels: [])
        ) { $0.stages[0].where = Where(labels: [name("office")]) },
        Case(
            .unknownLocale, "stages[0].where.locales", in: PolicyContext(locales: [name("en-GB")])
        ) { $0.stages[0].where = Where(locales: [name("en-US")]) },
        Case(.stageReachesNobody, "stages[0].where", in: Self.splitFleet) {
            $0.stages[0].where = Where(regions: [name("us")], deviceClasses: [name("kiosk")])
        },
        Case(.candidateNotSigned, "candidate", in: PolicyContext(manifests: [:])),
        Case(
            .candidateNotSigned, "candidate",
            in: PolicyContext(manifests: [version("1.4.0"): bundle("1.3.0").sha256])),
        Case(
            .candidateWithdrawn, "candidate.version",
            in: PolicyContext(withdrawn: [
                Withdrawal(
                    version: version("1.4.0"), sha256: bundle("9.9.9").sha256, at: World.start)
            ])),
        Case(
            .candidateBelowFloor, "candidate.version",
            in: PolicyContext(rollbackFloor: version("1.4.1"))),
        Case(.over, "not_after", in: PolicyContext(now: World.start + 90 * day)),
    ]

    static let cases = shares + times + judgement + surroundings

    @Test func `a stage needs no evidence where a person goes on, or there is no control`() {
        var policy = World().policy
        policy.stages[2].promote = .manual
        policy.stages[1].requiredBlindSpot = [:]
        #expect(policy.problems() == [])
        policy.stages[2].promote = .signed
        #expect(policy.problems() == [])
        policy.stages[2].promote = .auto
        #expect(policy.problems().map(\.code) == [.noEvidenceRequired])
        policy.replaces = []
        policy.holdBack = .none
        #expect(policy.problems() == [])
    }

    @Test func `a policy that fits its surroundings has no problems`() throws {
        var policy = World().policy
        policy.stages[0].where = Where(
            regions: [name("eu")], deviceClasses: [name("hub")], labels: [name("office")],
            locales: [name("en-GB")])
        let context = PolicyContext(
            regions: [name("eu")], deviceClasses: [name("hub")], labels: [name("office")],
            locales: [name("en-GB"), name("en-US")],
            manifests: [version("1.4.0"): bundle("1.4.0").sha256],
            rollbackFloor: version("1.4.0"), now: World.start)
        #expect(policy.problems(in: context) == [])
    }
}
