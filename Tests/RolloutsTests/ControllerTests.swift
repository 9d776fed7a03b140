import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct ControllerTests {
    static func policy(_ change: (inout Policy) -> Void = { _ in }) -> Policy {
        var policy = World.policy(for: "1.4.0", replacing: ["1.0.0..<1.4.0"], from: World.start)
        change(&policy)
        return policy
    }

    static func started(
        _ change: (inout Policy) -> Void = { _ in }, devices: Int = 600
    ) throws -> Harness {
        var harness = try Harness(policy: policy(change), devices: devices)
        let step = harness.order(.start)
        #expect(step.publishes)
        #expect(step.records.map(\.kind) == [.started])
        return harness
    }

    @Test func `goes through its stages to completion, and the hold-back follows`() throws {
        var harness = try Self.started()
        harness.poll()
        let first = harness.onCandidate.count
        #expect(first > 0)
        for stage in 1...2 {
            harness.now = harness.now + day
            let step = harness.verdict(.promote)
            #expect(step.records.map(\.kind) == [.advanced])
            #expect(step.records.first?.by == DecisionRecord.gate)
            #expect(step.records.first?.evidence == "five facts")
            #expect(step.records.first?.isUnproven == false)
            #expect(harness.state.plan.currentStage == stage)
            harness.now = harness.now + 7 * hour
            harness.poll()
        }
        let held = harness.devices.count { harness.decision(of: $0).arm == .control }
        #expect(harness.onCandidate.count == 600 - held)
        #expect(held >= 600 / 20)
        harness.now = harness.now + day
        #expect(harness.verdict(.promote).records.map(\.kind) == [.completed])
        #expect(harness.state.plan.state == .completed)
        harness.now = harness.now + day
        harness.poll()
        #expect(harness.onCandidate.count == 600)
        #expect(harness.records.map(\.sequence) == Array(1...4))
    }

    @Test func `each cohort has its least devices, within the cap, and its hold-back`() throws {
        let harness = try Self.started(devices: 240)
        let cohorts = Set(harness.devices.map(\.attributes.cohort))
        #expect(cohorts.count == 6)
        for cohort in cohorts {
            let all = harness.count(in: cohort) { _ in true }
            let treated = harness.count(in: cohort) { harness.decision(of: $0).arm == .treated }
            let control = harness.count(in: cohort) { harness.decision(of: $0).arm == .control }
            // 40 devices or so: 25% of them is what both quotas come to. Random buckets can only
            // give less where the share would be above the cap.
            let share = harness.state.plan.stages[0].shares[cohort] ?? basisPoints(100)
            #expect(treated >= min(10, (all + 3) / 4) || share == basisPoints(2_500))
            #expect(treated <= (all + 3) / 4 || share == basisPoints(100))
            let held = harness.state.plan.holdBack[cohort] ?? basisPoints(500)
            #expect(control >= min(50, (all + 3) / 4) || held == basisPoints(2_500))
        }
    }

    @Test func `a cohort that needs no more than its share is not listed`() throws {
        let harness = try Self.started({
            for index in 0...2 { $0.stages[index].quota.leastDevices = 0 }
            $0.holdBack.leastDevices = 0
        })
        #expect(harness.state.plan.stages[0].shares == [:])
        #expect(harness.state.plan.holdBack == [:])
    }

    @Test func `a stage does not end before its least soak, whatever the gate and operators say`()
        throws
    {
        var harness = try Self.started()
        harness.now = harness.now + day + -1
        let end = World.start + day
        let step = harness.verdict(.promote)
        #expect(step.refusal == .soakNotOver(until: end))
        #expect(step.records.map(\.kind) == [.ready])
        #expect(harness.order(.advance(unproven: true)).refusal == .soakNotOver(until: end))
        #expect(!harness.verdict(.promote).publishes)
        #expect(harness.records.count == 2)
        harness.now = end
        #expect(harness.handle(.tick).records.map(\.kind) == [.advanced])
    }

    @Test func `the schedule of the policy holds when a rollout is ahead of it`() throws {
        var harness = try Self.started()
        harness.now = World.start + day
        harness.verdict(.promote)
        var ahead = harness.state
        ahead.plan.stages[1].began = World.start
        let step = ahead.handle(
            .order(.advance(unproven: true), by: "ada", reason: ""), harness.facts)
        #expect(step.refusal == .scheduleNotReached(until: World.start + 2 * day))
    }

    @Test func `a verdict that turns bad takes readiness back`() throws {
        var harness = try Self.started()
        harness.now = harness.now + hour
        harness.verdict(.promote)
        #expect(harness.state.isReady)
        harness.verdict(.wait)
        #expect(!harness.state.isReady)
        harness.now = harness.now + day
        #expect(harness.handle(.tick).records == [])
        #expect(harness.order(.advance(unproven: false)).refusal == .evidenceMissing)
    }

    @Test func `a manual stage waits for its operator`() throws {
        var harness = try Self.started { $0.stages[1].promote = .manual }
        harness.now = harness.now + day
        let step = harness.verdict(.promote)
        #expect(step.refusal == .operatorNeeded(stage: name("canary")))
        #expect(step.records.map(\.kind) == [.ready])
        #expect(harness.handle(.tick).records == [])
        let order = harness.order(.advance(unproven: false))
        #expect(order.records.map(\.kind) == [.advanced])
        #expect(order.records.first?.by == "ada")
        #expect(order.records.first?.evidence == "because")
    }

    @Test func `a signed stage waits for its approval, from operators too`() throws {
        var harness = try Self.started { $0.stages[1].promote = .signed }
        harness.now = harness.now + day
        let missing = OrderRefusal.approvalMissing(stage: name("canary"))
        #expect(harness.verdict(.promote).refusal == missing)
        #expect(harness.order(.advance(unproven: true)).refusal == missing)
        harness.approvals = [
            Approval(
                model: World.model, policy: harness.state.plan.policy.sha256, stage: name("canary"))
        ]
        #expect(harness.handle(.tick).records.map(\.kind) == [.advanced])
    }

    @Test func `what was left without proof is kept`() throws {
        var harness = try Self.started()
        harness.now = harness.now + day
        #expect(harness.verdict(.promoteUnproven).records.map(\.isUnproven) == [true])
        harness.now = harness.now + day
        #expect(harness.order(.advance(unproven: true)).records.map(\.isUnproven) == [true])
        #expect(harness.state.unprovenStages == [0, 1])
        harness.now = harness.now + day
        harness.verdict(.promote)
        #expect(harness.state.unprovenStages == [0, 1])
    }

    @Test func `pauses, and only an order resumes`() throws {
        var harness = try Self.started()
        #expect(harness.verdict(.pause).records.map(\.kind) == [.paused])
        #expect(harness.verdict(.pause).records == [])
        harness.now = harness.now + 2 * day
        #expect(harness.verdict(.promote).records == [])
        #expect(harness.handle(.tick).records == [])
        #expect(harness.state.plan.state == .paused)
        #expect(harness.order(.advance(unproven: true)).refusal == .wrongState(.paused))
        #expect(harness.order(.resume).records.map(\.kind) == [.resumed])
        #expect(harness.order(.resume).refusal == .wrongState(.running))
        #expect(harness.order(.pause).records.map(\.by) == ["ada"])
    }

    @Test func `a paused rollout still rolls back`() throws {
        var harness = try Self.started()
        harness.verdict(.pause)
        #expect(harness.verdict(.rollback).records.map(\.kind) == [.rolledBack])
        #expect(
            harness.state.plan.withdrawn
                == [
                    Withdrawal(
                        version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: harness.now)
                ])
        #expect(harness.verdict(.rollback).records == [])
        #expect(harness.order(.rollback(leavesNoModel: false)).refusal == .wrongState(.rolledBack))
        #expect(harness.order(.freeze).refusal == .wrongState(.rolledBack))
    }

    @Test func `a stage without any verdict is paused after its most soak`() throws {
        var harness = try Self.started()
        harness.now = World.start + 3 * day + 1_800
        #expect(harness.handle(.tick).records == [])
        harness.now = harness.now + 1
        let step = harness.handle(.tick)
        #expect(step.records.map(\.kind) == [.paused])
        #expect(step.records.first?.by == DecisionRecord.controller)
        #expect(step.publishes)
    }

    @Test func `pauses when not_after has passed`() throws {
        var harness = try Self.started { $0.notAfter = World.start + 100 * hour }
        harness.now = World.start + 100 * hour + 1
        #expect(harness.handle(.tick).records.map(\.evidence) == ["not_after has passed"])
        #expect(
            harness.order(.resume).refusal == .afterNotAfter(World.start + 100 * hour))
    }

    @Test func `a freeze returns to the state it came from`() throws {
        var harness = try Self.started()
        #expect(harness.order(.unfreeze).refusal == .wrongState(.running))
        harness.order(.freeze)
        #expect(harness.state.plan.state == .frozen)
        harness.now = harness.now + day
        #expect(harness.verdict(.promote).records == [])
        #expect(harness.order(.advance(unproven: true)).refusal == .wrongState(.frozen))
        harness.order(.unfreeze)
        #expect(harness.state.plan.state == .running)
        harness.order(.freeze)
        #expect(harness.verdict(.pause).records.map(\.kind) == [.paused])
        #expect(harness.state.plan.state == .frozen)
        harness.order(.unfreeze)
        #expect(harness.state.plan.state == .paused)
        harness.order(.freeze)
        #expect(harness.verdict(.rollback).records.map(\.kind) == [.rolledBack])
        #expect(harness.order(.unfreeze).refusal == .wrongState(.rolledBack))
    }

    static func finding(
        _ segment: Segment, _ call: ControllerEvent.Finding.Call, _ metric: Metric = .errors
    ) -> ControllerEvent.SegmentFinding {
        ControllerEvent.SegmentFinding(
            segment: segment,
            finding: ControllerEvent.Finding(call, metric: metric, evidence: "worse there"))
    }

    @Test func `excludes a failing segment, and goes on with the others`() throws {
        var harness = try Self.started()
        harness.now = harness.now + day
        let locale = Segment.locale(name("en-US"))
        let step = harness.verdict(.promote, segments: [Self.finding(locale, .rollback)])
        #expect(step.records.map(\.kind) == [.excluded, .advanced])
        #expect(step.records.first?.segment == locale)
        #expect(step.records.first?.metric == .errors)
        harness.poll()
        harness.now = harness.now + 7 * hour
        harness.poll()
        let wrong = harness.devices.count {
            $0.attributes.locale == name("en-US") && $0.current == bundle("1.4.0")
        }
        #expect(wrong == 0)
        #expect(harness.verdict(.wait, segments: [Self.finding(locale, .rollback)]).records == [])
        #expect(harness.order(.include(locale)).records.map(\.kind) == [.included])
        #expect(harness.order(.include(locale)).refusal == .noSuchSegment(locale))
        #expect(harness.order(.exclude(locale)).records.map(\.kind) == [.excluded])
        #expect(harness.order(.exclude(locale)).refusal == .segmentAlreadyExcluded(locale))
    }

    @Test func `a segment that may not be excluded pauses the release`() throws {
        var harness = try Self.started { $0.excludable = [.locale] }
        let step = harness.verdict(
            .wait, segments: [Self.finding(.region(name("eu")), .rollback)])
        #expect(step.records.map(\.kind) == [.paused])
        #expect(harness.state.plan.excluded == [])
        #expect(harness.state.plan.state == .paused)
    }

    @Test func `pauses one segment, and an order resumes it`() throws {
        var harness = try Self.started()
        let segment = Segment.cohort(made(Cohort("eu/hub")))
        let step = harness.verdict(.wait, segments: [Self.finding(segment, .pause)])
        #expect(step.records.map(\.kind) == [.segmentPaused])
        #expect(harness.state.plan.paused == [segment])
        #expect(harness.state.plan.state == .running)
        harness.poll()
        #expect(harness.count(in: made(Cohort("eu/hub"))) { $0.current == bundle("1.4.0") } == 0)
        #expect(harness.onCandidate.count > 0)
        #expect(harness.order(.resumeSegment(segment)).records.map(\.kind) == [.segmentResumed])
        #expect(harness.order(.resumeSegment(segment)).refusal == .noSuchSegment(segment))
    }

    @Test func `two cohorts rolled back, or a shared metric, pause the release everywhere`() throws
    {
        let cohorts = ["eu/hub", "us/hub"].map { Segment.cohort(made(Cohort($0))) }
        var harness = try Self.started()
        harness.verdict(.wait, segments: [Self.finding(cohorts[0], .rollback)])
        #expect(harness.state.plan.state == .running)
        let step = harness.verdict(.wait, segments: [Self.finding(cohorts[1], .rollback)])
        #expect(step.records.map(\.kind) == [.excluded, .paused])
        #expect(harness.state.plan.state == .paused)

        var other = try Self.started()
        other.verdict(.wait, segments: [Self.finding(cohorts[0], .rollback, .errors)])
        other.verdict(.wait, segments: [Self.finding(cohorts[1], .pause, .latencyP95)])
        #expect(other.state.plan.state == .running)
        other.order(.resumeSegment(cohorts[1]))
        other.verdict(.wait, segments: [Self.finding(cohorts[1], .pause, .errors)])
        #expect(other.state.plan.state == .paused)
    }

    @Test func `shares rise where new devices left a cohort short, and never fall`() throws {
        var harness = try Self.started(devices: 0)
        #expect(harness.state.plan.stages[0].shares == [:])
        let grown = try Harness(policy: Self.policy(), devices: 120)
        harness.devices = grown.devices
        let step = harness.handle(.tick)
        #expect(step.records.map(\.kind) == [.sharesRaised])
        #expect(step.publishes)
        #expect(harness.state.plan.stages[0].shares.count == 6)
        #expect(harness.state.plan.holdBack.count == 6)
        #expect(step.records.first?.evidence.contains("hold-back eu/hub") == true)
        harness.devices = []
        #expect(harness.handle(.tick).records == [])
    }

    @Test func `regions that devices make up fill a plan only so far, and it still goes back`()
        throws
    {
        var harness = try Self.started(devices: 0)
        let known = try Harness(policy: Self.policy(), devices: 40).devices
        for round in 0..<60 {
            harness.devices = (0..<200).map { number in
                var device = known[number % 40]
                device.attributes = DeviceAttributes(
                    number: Int64(round), region: name("r\(100_000 - round * 50 - number / 4)"),
                    deviceClass: name("hub"), locale: name("en-GB"))
                return device
            }
            _ = harness.handle(.tick)
        }
        let plan = harness.state.plan
        #expect(
            plan.holdBack.count == Plan.mostCohorts
                || plan.stages[0].shares.count == Plan.mostCohorts)
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)
        #expect(harness.handle(.tick).records == [], "nothing new finds room")
        #expect(harness.order(.rollback(leavesNoModel: false)).publishes)
        #expect(try Plan(parsing: harness.state.plan.json.canonicalBytes).state == .rolledBack)
    }

    @Test func `no order makes a plan that could not be read, and going back always fits`() throws {
        var harness = try Self.started()
        func groups(_ count: Int, of each: Int) -> [PinGroup] {
            (0..<count).map { group in
                PinGroup(
                    bundle: bundle("1.3.0"), expires: World.start + Int64(group + 1) * day,
                    devices: (0..<each).map { number in
                        DeviceHash(
                            of: World.id(group * each + number), model: harness.state.plan.model)
                    })
            }
        }
        #expect(harness.order(.setPins(groups(1_001, of: 1))).refusal == .tooManyPinGroups(1_001))
        #expect(harness.state.plan.pins == [])
        #expect(harness.order(.setPins(groups(1_000, of: 1))).refusal == nil)
        let plan = harness.state.plan
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)

        let gone = bundle("0.0.0").sha256
        harness.state.plan.withdrawn = (0..<Plan.mostWithdrawn).map { number in
            Withdrawal(version: version("0.0.\(number)"), sha256: gone, at: World.start)
        }
        let full = harness.state.plan
        let refusal = harness.order(.setPins(groups(1_000, of: 10))).refusal
        guard case .planTooLong(let length) = refusal else {
            Issue.record("expected a plan too long, got \(String(describing: refusal))")
            return
        }
        #expect(length > Plan.longestByOrder)
        #expect(harness.state.plan == full)
        #expect(harness.order(.rollback(leavesNoModel: false)).publishes)
        let back = try Plan(parsing: harness.state.plan.json.canonicalBytes)
        #expect(back.withdrawn.count == Plan.mostWithdrawn)
        #expect(back.withdrawn.last?.version == back.candidate.version)
    }

    @Test func `the hold-back does not rise over devices that a stage has reached`() throws {
        var harness = try Self.started(devices: 0)
        for _ in 0..<2 {
            harness.now = harness.now + day
            harness.verdict(.promote)
        }
        #expect(harness.state.plan.currentStage == 2)
        harness.devices = try Harness(policy: Self.policy(), devices: 120).devices
        harness.handle(.tick)
        #expect(harness.state.plan.holdBack == [:])
    }

    @Test func `drops pins that have expired`() throws {
        var harness = try Self.started()
        let hash = DeviceHash(value: 7)
        let groups = [
            PinGroup(bundle: bundle("1.3.0"), expires: World.start + hour, devices: [hash]),
            PinGroup(
                bundle: bundle("1.3.0"), expires: World.start + 2 * hour,
                devices: [DeviceHash(value: 8)]),
        ]
        #expect(harness.order(.setPins(groups)).records.map(\.kind) == [.pinsChanged])
        #expect(harness.order(.setPins(groups + [groups[0]])).refusal == .tooManyPins(3))
        harness.now = World.start + hour
        #expect(harness.handle(.tick).records.map(\.kind) == [.pinsChanged])
        #expect(harness.state.plan.pins == [groups[1]])
    }

    @Test func `refuses what cannot start`() throws {
        var early = try Harness(policy: Self.policy(), devices: 10)
        early.now = World.start + -1
        #expect(early.order(.start).refusal == .beforeNotBefore(World.start))
        for order in [
            ControllerEvent.Order.advance(unproven: true), .pause, .resume,
            .rollback(leavesNoModel: false), .freeze, .exclude(.region(name("eu"))),
        ] {
            #expect(early.order(order).refusal == .notStarted)
        }
        #expect(early.verdict(.rollback).records == [])
        #expect(!early.handle(.tick).publishes)
        early.now = early.state.policy.notAfter + 1
        #expect(early.order(.start).refusal == .afterNotAfter(early.state.policy.notAfter))

        var rehearsed = try Harness(policy: Self.policy { $0.rehearsal = true }, devices: 10)
        #expect(rehearsed.order(.start).refusal == .rehearsalMissing)
        rehearsed.isRehearsed = true
        #expect(rehearsed.order(.start).refusal == nil)
        #expect(rehearsed.order(.start).refusal == .alreadyStarted)

        var signed = try Harness(
            policy: Self.policy { $0.stages[0].promote = .signed }, devices: 10)
        #expect(signed.order(.start).refusal == .approvalMissing(stage: name("beta")))
    }

    @Test func `refuses what cannot be created`() throws {
        let policy = Self.policy()
        let reference = Plan.PolicyReference(path: World.path, sha256: World.digest(of: policy))
        func create(
            _ policy: Policy, _ baseline: String?, after last: Plan? = nil
        ) throws(OrderRefusal) -> ControllerState {
            try ControllerState(
                creating: policy, reference: reference, channel: .main,
                baseline: baseline.map { bundle($0) }, after: last)
        }
        let first = Self.policy {
            $0.replaces = []
            $0.holdBack = .none
        }
        #expect(throws: OrderRefusal.baselineMissing) { try create(policy, nil) }
        #expect(throws: OrderRefusal.baselineNotReplaceable(version("0.9.0"))) {
            try create(policy, "0.9.0")
        }
        #expect(throws: OrderRefusal.baselineOfFirstRelease(version("1.3.0"))) {
            try create(first, "1.3.0")
        }
        var last = World().plan
        #expect(throws: OrderRefusal.rolloutNotOver(.running)) {
            try create(policy, "1.3.0", after: last)
        }
        last.state = .completed
        last.withdrawn = [
            Withdrawal(version: version("1.4.0"), sha256: bundle("9.9.9").sha256, at: World.start)
        ]
        #expect(throws: OrderRefusal.candidateWithdrawn(version("1.4.0"))) {
            try create(policy, "1.3.0", after: last)
        }
        last.channel = made(ChannelName("night"))
        #expect(throws: OrderRefusal.planOfAnotherLine) {
            try create(policy, "1.3.0", after: last)
        }
    }

    @Test func `a lift of the release keys ends a withdrawal, and no later one`() throws {
        let policy = Self.policy()
        let lifted = policy.candidate
        var last = World().plan
        last.state = .rolledBack
        last.withdrawn = [
            Withdrawal(version: version("1.2.0"), sha256: bundle("1.2.0").sha256, at: World.start),
            Withdrawal(version: lifted.version, sha256: lifted.sha256, at: World.start),
        ]
        func create(until: UTCTime) throws(OrderRefusal) -> ControllerState {
            try ControllerState(
                creating: policy,
                reference: Plan.PolicyReference(
                    path: World.path, sha256: World.digest(of: policy)),
                channel: .main, baseline: bundle("1.3.0"), after: last,
                lifts: [
                    Lift(
                        model: policy.model, version: lifted.version, sha256: lifted.sha256,
                        until: until)
                ])
        }
        #expect(try create(until: World.start).plan.withdrawn == [last.withdrawn[0]])
        #expect(throws: OrderRefusal.candidateWithdrawn(lifted.version)) {
            try create(until: World.start + -1)
        }
    }

    @Test func `nothing starts while another channel of the model is frozen`() throws {
        var harness = try Harness(policy: Self.policy(), devices: 120)
        harness.isModelFrozen = true
        #expect(harness.order(.start).refusal == .modelFrozen)
        harness.isModelFrozen = false
        #expect(harness.order(.start).refusal == nil)
    }

    @Test func `a release that was complete when it was frozen is judged no more`() throws {
        var harness = try Self.started()
        for _ in 0..<3 {
            harness.now = harness.now + day + 7 * hour
            harness.verdict(.promote)
        }
        #expect(harness.state.plan.state == .completed)
        harness.order(.freeze)
        #expect(harness.verdict(.rollback).records == [])
        #expect(harness.state.plan.state == .frozen)
        harness.order(.unfreeze)
        #expect(harness.verdict(.rollback).records == [])
        #expect(harness.state.plan.state == .completed)
    }

    @Test func `a new rollout keeps withdrawals, pins and freeze windows of the last`() throws {
        var last = World().plan
        last.state = .completed
        last.withdrawn = [
            Withdrawal(version: version("1.2.0"), sha256: bundle("1.2.0").sha256, at: World.start)
        ]
        last.freezeWindows = [made(FreezeWindow(from: 1, until: 2))]
        last.pins = [
            PinGroup(bundle: bundle("1.3.0"), expires: World.start, devices: [DeviceHash(value: 1)])
        ]
        let policy = Self.policy()
        let state = try ControllerState(
            creating: policy,
            reference: Plan.PolicyReference(path: World.path, sha256: World.digest(of: policy)),
            channel: .main, baseline: bundle("1.3.0"), after: last)
        #expect(state.plan.withdrawn == last.withdrawn)
        #expect(state.plan.freezeWindows == last.freezeWindows)
        #expect(state.plan.pins == last.pins)
        #expect(!state.isStarted)
        #expect(state.stage == nil)
    }

    private static func startedFirst() throws -> Harness {
        var harness = try Harness(
            policy: policy {
                $0.replaces = []
                $0.holdBack = .none
            }, devices: 100)
        harness.order(.start)
        return harness
    }

    @Test func `a first release is withdrawn by a person only who insists`() throws {
        var harness = try Self.startedFirst()
        harness.poll()
        let before = harness.state
        let refused = harness.order(.rollback(leavesNoModel: false))
        #expect(refused.refusal == .nothingToGoBackTo(version("1.4.0")))
        #expect(harness.state == before)
        #expect(harness.order(.rollback(leavesNoModel: true)).records.map(\.kind) == [.rolledBack])
        let decisions = Set(harness.poll().map(\.action))
        #expect(decisions == [.stay, .stranded(bundle("1.4.0"))])
    }

    @Test func `a first release goes through its stages without a control`() throws {
        var harness = try Self.startedFirst()
        harness.poll()
        #expect(harness.onCandidate.count > 0)
        #expect(harness.devices.allSatisfy { harness.decision(of: $0).arm != .control })
        harness.verdict(.rollback)
        let exposed = harness.onCandidate.count
        #expect(
            harness.poll().count { $0.action == .stranded(bundle("1.4.0")) } == exposed)
    }

    @Test func `the oldest withdrawals give way when there are too many`() throws {
        var harness = try Self.started()
        harness.state.plan.withdrawn = (0..<1_000).map {
            Withdrawal(
                version: version("0.0.\($0)"), sha256: bundle("0.0.\($0)").sha256, at: World.start)
        }
        harness.order(.rollback(leavesNoModel: false))
        let withdrawn = harness.state.plan.withdrawn
        #expect(withdrawn.count == Plan.mostWithdrawn)
        #expect(withdrawn.first?.version == version("0.0.1"))
        #expect(withdrawn.last?.version == version("1.4.0"))
        #expect(try Plan(parsing: harness.state.plan.json.canonicalBytes) == harness.state.plan)
    }

    @Test func `a restart between any two events changes nothing`() throws {
        var whole = try Self.started()
        var restarted = whole
        let events: [(Int64, ControllerEvent)] = [
            (hour, .verdict(ControllerEvent.Verdict(fleet: .init(.promote, evidence: "a")))),
            (day, .tick), (hour, .order(.freeze, by: "bo", reason: "fair")),
            (hour, .order(.unfreeze, by: "bo", reason: "over")),
            (
                hour,
                .verdict(
                    ControllerEvent.Verdict(
                        fleet: .init(.wait, evidence: "b"),
                        segments: [Self.finding(.region(name("eu")), .rollback)]))
            ),
            (day, .verdict(ControllerEvent.Verdict(fleet: .init(.promoteUnproven, evidence: "c")))),
            (day, .order(.rollback(leavesNoModel: false), by: "bo", reason: "enough")),
        ]
        for (wait, event) in events {
            whole.now = whole.now + wait
            whole.handle(event)
            restarted.now = restarted.now + wait
            let bytes = restarted.state.json.bytes
            restarted.state = try ControllerState(reading: JSON(parsing: bytes, limit: 1 << 20))
            restarted.handle(event)
        }
        #expect(whole.records == restarted.records)
        #expect(whole.state == restarted.state)
        #expect(whole.records.count == 8)
    }

    @Test func `a stored state with more stages than its policy is refused`() throws {
        var harness = try Self.started()
        harness.state.plan.stages = (0..<4).map { _ in Plan.BegunStage(began: World.start) }
        #expect(throws: FieldError(path: "plan.stages", expected: "at most 3", found: "4")) {
            try ControllerState(reading: harness.state.json)
        }
    }

    @Test func `a record gives its facts to the audit log`() throws {
        var harness = try Self.started()
        let step = harness.verdict(.rollback)
        let json = try #require(step.records.first).json
        #expect(
            json == [
                "type": "decision-record", "sequence": 2, "at": .integer(World.start.seconds),
                "kind": "rolled_back", "by": "gate", "state": "rolled_back", "unproven": false,
                "evidence": "five facts", "stage": 0, "metric": "latency_p95",
            ])
        let long = String(repeating: "x", count: 100_000)
        let order = ControllerEvent.order(.setFreezeWindows([]), by: "ada", reason: long)
        #expect(harness.handle(order).records.map(\.evidence.utf8.count) == [2_048])
    }

    @Test func `every refusal says the thing, what was expected and what was got`() throws {
        let refusals: [OrderRefusal] = [
            .notStarted, .alreadyStarted, .wrongState(.paused), .beforeNotBefore(World.start),
            .afterNotAfter(World.start), .rehearsalMissing, .approvalMissing(stage: name("beta")),
            .soakNotOver(until: World.start), .scheduleNotReached(until: World.start),
            .evidenceMissing, .operatorNeeded(stage: name("beta")),
            .noSuchSegment(.region(name("eu"))), .segmentAlreadyExcluded(.region(name("eu"))),
            .tooManySegments, .tooManyPins(1), .tooManyWindows(65), .baselineMissing,
            .baselineNotReplaceable(version("1.0.0")), .baselineOfFirstRelease(version("1.0.0")),
            .candidateWithdrawn(version("1.0.0")), .rolloutNotOver(.running), .planOfAnotherLine,
        ]
        for refusal in refusals {
            #expect(refusal.description.contains(": expected "))
            #expect(refusal.description.contains(", got "))
        }
        #expect(refusals.compactMap(\.until).count == 3)
        #expect(Set(refusals.map(\.description)).count == refusals.count)
    }
}
