import Cryptography
import Health
import Primitives
import RegistryTestSupport
import Rollouts
import TUF
import Telemetry
import TestSupport
import Testing

@testable import RegistryCore

/// What the gate gets to see of what devices have reported.
struct GatheringTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    private func version(_ text: String) throws -> SemanticVersion {
        try #require(SemanticVersion(text))
    }

    /// A started rollout of 1.1.0 whose only stage began now.
    private func state(_ change: (inout Plan) -> Void = { _ in }) throws -> ControllerState {
        let bundle = try SampleBundle(registry.model, try version("1.1.0"))
        let policy = try PolicyDraft.complete(
            [
                "model": .string(registry.model.description), "candidate": "1.1.0",
                "replaces": ["1.0.0"],
                "burn_in": ["seconds": 600, "turns": 0], "check_in_deadline_s": 7_200,
                "report_interval_s": 600,
            ], candidate: bundle.reference, now: now)
        let baseline = try SampleBundle(registry.model, try version("1.0.0")).reference
        let path = try #require(TargetPath("policies/commands-en/1.1.0.standard.json"))
        var plan = Plan(
            model: registry.model, channel: .main, baseline: baseline,
            candidate: bundle.reference,
            policy: Plan.PolicyReference(
                path: path, sha256: SHA256.digest(of: policy.json.canonicalBytes)),
            stages: [Plan.BegunStage(began: now)])
        change(&plan)
        return try ControllerState(reading: [
            "schema": .string(ControllerState.schema), "policy": policy.json, "plan": plan.json,
            "ready": false, "ready_unproven": false, "unproven_stages": [], "gate_excluded": [],
            "gate_paused": [], "sequence": 0,
        ])
    }

    /// What the controller counts before a look.
    private func census(
        _ state: ControllerState, _ records: any RegistryRecords
    ) throws(RegistryError) -> FleetCensus {
        var census = FleetCensus()
        for device in try records.subscribers(model: registry.model, channel: .main) {
            let bucket = Bucket(of: device.device, candidate: state.plan.candidate.sha256)
            census.add(device.attributes, bucket: bucket)
        }
        return census
    }

    private func gather(
        _ state: ControllerState, at time: UTCTime
    ) throws -> Gathering.Result {
        let result = try registry.store.read { (records) throws(RegistryError) in
            try Gathering(
                state: state, parameters: GateParameters(state.policy), records: records,
                census: try census(state, records), at: time
            ).gather()
        }
        return try #require(result)
    }

    private func enrolled(_ name: String, region: String = "eu") throws -> TestDevice {
        let device = TestDevice(name, model: registry.model, region: region)
        try registry.enrol(device, at: now)
        return device
    }

    private func turns(_ count: Int, milliseconds: Int64 = 400) -> TurnTally {
        var tally = TurnTally()
        for _ in 0..<count {
            tally.record(TurnRecord(latencyMicroseconds: milliseconds * 1_000))
        }
        return tally
    }

    private func place(_ arm: Arm) -> RolloutPlace {
        RolloutPlace(plan: 2, stage: 0, arm: arm, window: now)
    }

    /// A device that swapped at `time`, by its beacon.
    private func expose(_ device: inout TestDevice, at time: UTCTime) throws {
        let candidate = try version("1.1.0")
        try registry.send(
            device,
            device.report(.swapBeacon, .swapping, at: time) { report in
                report.candidate = candidate
                report.place = place(.treated)
            }, at: time)
    }

    /// Figures of a window, counted from `since`.
    private func figures(
        _ device: inout TestDevice, _ text: String, _ arm: Arm, since: UTCTime?, at time: UTCTime,
        tally: TurnTally, reference: Reference? = nil
    ) throws {
        let version = try version(text)
        try registry.send(
            device,
            device.report(at: time) { report in
                report.version = version
                report.place = place(arm)
                report.countingSince = since
                report.tally = tally
                report.reference = reference
            }, at: time)
    }

    @Test func `devices of another channel are not among the exposed`() throws {
        try registry.found(at: now)
        var here = try enrolled("here")
        var elsewhere = try enrolled("elsewhere")
        try expose(&here, at: now + 10)
        let candidate = try version("1.1.0")
        let night = try #require(ChannelName("night"))
        try registry.send(
            elsewhere,
            elsewhere.report(.swapBeacon, .swapping, at: now + 10) { report in
                report.candidate = candidate
                report.channel = night
                report.place = place(.treated)
            }, at: now + 10)

        let result = try gather(try state(), at: now + 20)

        #expect(result.evidence.exposedDevices == 1)
    }

    @Test func `treated devices are known by their beacon, control ones by what they say`() throws {
        try registry.found(at: now)
        var treated = try enrolled("treated")
        var control = try enrolled("control")
        var outside = try enrolled("outside")
        let later = now + 1_800
        try expose(&treated, at: now + 60)
        try figures(
            &treated, "1.1.0", .treated, since: now + 600, at: later, tally: turns(30))
        try figures(
            &control, "1.0.0", .control, since: now + 600, at: later, tally: turns(20))
        try registry.send(outside, outside.report(at: later), at: later)
        let evidence = try gather(try state(), at: later).evidence
        let samples = Dictionary(
            uniqueKeysWithValues: evidence.samples.map { ($0.device, $0) })
        #expect(samples.count == 2)
        let one = try #require(samples[treated.id])
        #expect(one.arm == .treated)
        #expect(one.exposedAt == now + 60)
        #expect(one.isNew)
        #expect(one.lastHeard == later)
        #expect(one.counters.turns == 30)
        let other = try #require(samples[control.id])
        #expect(other.arm == .control)
        #expect(other.exposedAt == later)
        #expect(other.counters.turns == 20)
        #expect(evidence.exposedDevices == 1)
        #expect(evidence.control == .concurrent)
        #expect(evidence.isLast == false)
    }

    @Test(
        arguments: [
            (nil, false), (0, false), (599, false), (600, true), (900, true),
        ] as [(Int64?, Bool)])
    func `figures that reach into the burn-in do not count`(
        since: Int64?, counts: Bool
    ) throws {
        try registry.found(at: now)
        var control = try enrolled("control")
        let later = now + 1_800
        try figures(
            &control, "1.0.0", .control, since: since.map { now + $0 }, at: later,
            tally: turns(20))
        let result = try gather(try state(), at: later)
        #expect(result.evidence.samples.map(\.counters.turns) == [counts ? 20 : 0])
        #expect(result.inBurnIn == (counts ? 0 : 1))
    }

    @Test func `excluded segments, other windows and other channels are left out`() throws {
        try registry.found(at: now)
        var kept = try enrolled("kept")
        var excluded = try enrolled("excluded", region: "us")
        var old = try enrolled("old")
        var beta = try enrolled("beta")
        let later = now + 1_800
        for device in [kept, excluded] {
            var device = device
            try figures(
                &device, "1.0.0", .control, since: now + 600, at: later, tally: turns(20))
        }
        let version = try version("1.0.0")
        let window = now + -9_000
        try registry.send(
            old,
            old.report(at: later) { report in
                report.version = version
                report.place = RolloutPlace(plan: 1, stage: 0, arm: .control, window: window)
            }, at: later)
        let channel = try #require(ChannelName("beta"))
        try registry.send(
            beta,
            beta.report(at: later) { report in
                report.version = version
                report.channel = channel
                report.place = place(.control)
            }, at: later)
        let region = try #require(AttributeName("us"))
        let state = try state { $0.excluded = [.region(region)] }
        #expect(try gather(state, at: later).evidence.samples.map(\.device) == [kept.id])
        _ = kept.report(at: later)
        _ = excluded.report(at: later)
    }

    @Test func `a device that went back stays bad in a later stage, and is not new there`() throws {
        try registry.found(at: now)
        var device = try enrolled("one")
        let candidate = try version("1.1.0")
        try expose(&device, at: now + 60)
        try registry.send(
            device,
            device.report(.localRollback, .rejected, at: now + 120) { report in
                report.candidate = candidate
                report.reasons = [.tailSlow]
                report.place = place(.treated)
            }, at: now + 120)
        let second = now + 90_000
        let state = try state { plan in
            plan.stages.append(Plan.BegunStage(began: second))
        }
        let sample = try #require(try gather(state, at: second + 60).evidence.samples.first)
        #expect(sample.wentBack)
        #expect(!sample.isNew)
        #expect(sample.exposedAt == now + 60)
    }

    @Test(arguments: [false, true])
    func `a report in the second of the beacon is a sign of life, the beacon itself is none`(
        reports: Bool
    ) throws {
        try registry.found(at: now)
        var device = try enrolled("one")
        try expose(&device, at: now + 60)
        if reports { try registry.send(device, device.report(at: now + 60), at: now + 60) }
        let state = try state()
        let evidence = try gather(state, at: now + 60 + 7_200).evidence
        let coverage = HealthGate(GateParameters(state.policy)).judge(evidence).coverage
        #expect(coverage.exposed == 1)
        #expect(coverage.reporting == (reports ? 1 : 0))
    }

    @Test func `attempts count before any beacon, by the newest one`() throws {
        try registry.found(at: now)
        var device = try enrolled("one")
        let candidate = try version("1.1.0")
        let trace = try #require(TraceID("0123456789abcdef0123456789abcdef"))
        func attempt(
            _ kind: ReportKind, _ number: Int64, failure: ReasonCode? = nil, at time: UTCTime
        ) throws {
            try registry.send(
                device,
                device.report(kind, .attempting, at: time) { report in
                    report.candidate = candidate
                    report.attempt = AttemptMark(number: number, trace: trace)
                    if kind == .smoke { report.smoke = SmokeFigures(failure: failure) }
                }, at: time)
        }
        try attempt(.attempt, 1, at: now + 10)
        try attempt(.smoke, 1, failure: .smokeTimedOut, at: now + 20)
        var sample = try #require(try gather(try state(), at: now + 60).evidence.samples.first)
        #expect(sample.attempt == .failed)
        #expect(sample.attemptAt == now + 10)
        #expect(sample.exposedAt == nil)
        try attempt(.attempt, 2, at: now + 100)
        sample = try #require(try gather(try state(), at: now + 160).evidence.samples.first)
        #expect(sample.attempt == .started)
        #expect(sample.attemptAt == now + 100)
    }

    @Test func `a jump is judged once in a window, and remembered`() throws {
        try registry.found(at: now)
        var device = try enrolled("one")
        let reference = try #require(
            Reference(version: try version("1.0.0"), tally: turns(50), leastTurns: 20))
        try expose(&device, at: now + 60)
        let state = try state()
        try figures(
            &device, "1.1.0", .treated, since: now + 600, at: now + 900,
            tally: turns(39, milliseconds: 800), reference: reference)
        #expect(try gather(state, at: now + 900).judged == [])
        try figures(
            &device, "1.1.0", .treated, since: now + 600, at: now + 1_000,
            tally: turns(40, milliseconds: 800), reference: reference)
        let result = try gather(state, at: now + 1_000)
        #expect(result.judged.map(\.jumped) == [true])
        try registry.store.write { (records) throws(RegistryError) in
            for row in result.judged { try records.setFigures(row) }
        }
        // It is quick again; what was judged stays.
        try figures(
            &device, "1.1.0", .treated, since: now + 600, at: now + 1_100,
            tally: turns(900, milliseconds: 400), reference: reference)
        let again = try gather(state, at: now + 1_100)
        #expect(again.judged == [])
        #expect(again.evidence.samples.map(\.jumped) == [true])
    }

    @Test func `history tells how often a resting cohort is silent`() throws {
        try registry.found(at: now)
        var steady = try enrolled("steady")
        var gone = try enrolled("gone")
        let start = now + -5 * 86_400
        for hour in 0..<10 as Range<Int64> {
            try registry.send(
                steady, steady.report(at: start + hour * 3_600), at: start + hour * 3_600)
        }
        try registry.send(steady, steady.report(at: now + -60), at: now + -60)
        try registry.send(gone, gone.report(at: start), at: start)
        let history = try gather(try state(), at: now + 60).evidence.history
        // Nine pauses of an hour, one of days; and one device that has not come back.
        #expect(
            history == [steady.attributes.cohort: SilenceHistory(silent: 2, windows: 11)])
    }

    // MARK: What shares alpha, and who counts

    @Test func `the segments that share alpha are those of all that follow, heard of or not`()
        throws
    {
        var heard = try enrolled("heard")
        var quiet = try enrolled("quiet", region: "us")
        try registry.send(heard, heard.report(at: now + 60), at: now + 60)
        let earlier = now + -3_600
        try registry.send(quiet, quiet.report(at: earlier), at: earlier)
        let evidence = try gather(try state(), at: now + 120).evidence
        let cohorts = [heard, quiet].map { FleetSegment.cohort($0.attributes.cohort) }
        let regions = [heard, quiet].map { FleetSegment.region($0.attributes.region) }
        #expect(evidence.segments == cohorts + regions)
        let excluded = try state {
            $0.excluded = [.region(quiet.attributes.region)]
        }
        #expect(try gather(excluded, at: now + 120).evidence.segments == cohorts + regions)
    }

    @Test func `a pinned device is in neither arm: somebody chose it`() throws {
        var pinned = try enrolled("pinned")
        var other = try enrolled("other")
        try registry.found(at: now)
        try expose(&pinned, at: now + 60)
        try expose(&other, at: now + 60)
        let state = try state { plan in
            plan.pins = [
                PinGroup(
                    bundle: plan.candidate, expires: now + 3_600,
                    devices: [DeviceHash(of: pinned.id, model: registry.model)])
            ]
        }
        #expect(try gather(state, at: now + 120).evidence.samples.map(\.device) == [other.id])
        let later = try gather(state, at: now + 7_200).evidence.samples
        #expect(Set(later.map(\.device)) == [pinned.id, other.id])
    }

    // MARK: The policy's numbers

    /// A policy in which no number is another's, nor a default.
    private func unusual() throws -> Policy {
        let policy = try state().policy
        var fields = try #require(policy.json.object)
        fields["statistics"] = [
            "alpha": 11, "alpha_pause": 101, "fleet_part": 501, "size_fraction": 668,
            "pause_fraction": 334, "n0": 31, "rho0": 21, "min_turns_p95": 22,
            "min_reference_turns": 23, "min_devices_treated": 4, "min_devices_control": 6,
            "min_weight": 24, "coverage": 901, "min_missing": 3, "jump": 1_501, "jump_turns": 41,
            "attempts_q0": 25, "uncontrolled_q0": 26,
        ]
        fields["gates"] = [
            [
                "metric": "latency_p95", "direction": "higher_is_worse", "limit": 1_301,
                "accepted": 1_051, "clock": "cpu_ms", "absolute": 777,
            ],
            [
                "metric": "errors", "direction": "higher_is_worse", "limit": 1_501,
                "accepted": 1_052, "absolute": 51,
            ],
            ["metric": "silent", "direction": "higher_is_worse"],
        ]
        fields["burn_in"] = ["seconds": 601, "turns": 7]
        fields["check_in_deadline_s"] = 7_201
        fields["on_insufficient_evidence"] = "promote_unproven"
        fields["excludable"] = ["locale"]
        return try Policy(parsing: JSON.object(fields).canonicalBytes)
    }

    @Test func `every number of the gate is the policy's`() throws {
        let policy = try unusual()
        let parameters = GateParameters(policy)
        #expect(parameters.alpha == 0.011)
        #expect(parameters.alphaPause == 0.101)
        #expect(parameters.fleetPart == 0.501)
        #expect(parameters.stages == policy.stages.count)
        #expect(parameters.sizeFraction == 0.668)
        #expect(parameters.pauseFraction == 0.334)
        #expect(parameters.pseudoDevices == 31)
        #expect(parameters.correlation == 0.021)
        #expect(parameters.minTurns == 22)
        #expect(parameters.minReferenceTurns == 23)
        #expect(parameters.minTreated == 4)
        #expect(parameters.minControl == 6)
        #expect(parameters.minWeight == 24)
        #expect(parameters.deadlineSeconds == 7_201)
        #expect(parameters.burnInSeconds == 601)
        #expect(parameters.burnInTurns == 7)
        #expect(parameters.coverage == 0.901)
        #expect(parameters.minMissing == 3)
        #expect(parameters.jumpRatio == 1.501)
        #expect(parameters.jumpTurns == 41)
        #expect(parameters.attemptsShare == 0.025)
        #expect(parameters.uncontrolledShare == 0.026)
        #expect(parameters.onInsufficientEvidence == .promoteUnproven)
        #expect(parameters.excludable == [.locale])
        #expect(parameters.absolute.p95Milliseconds == 777)
        #expect(parameters.absolute.errorShare == 0.051)
        #expect(
            parameters.rules == [
                MetricRule(.latencyP95, limit: 1.301, accepted: 1.051, clock: .cpu),
                MetricRule(.errors, limit: 1.501, allowedShare: 0.051, accepted: 1.052),
                MetricRule(.silent),
            ])
        let stage = StageRequirements(policy.stages[0])
        #expect(stage.blindSpots[.latencyP95] == 2)
        #expect(stage.blindSpots[.errors] == 0.08)
        #expect(stage.leastSoakSeconds == 86_400)
        #expect(stage.mostSoakSeconds == 259_200)
    }

    @Test func `every metric of a policy is one that the gate knows`() {
        for metric in Metric.allCases {
            #expect(GateMetric(rawValue: metric.rawValue) != nil, "\(metric)")
        }
        #expect(Metric.allCases.count == GateMetric.allCases.count)
        for kind in Segment.Kind.allCases {
            #expect(SegmentKind(rawValue: kind.rawValue) != nil, "\(kind)")
        }
    }
}
