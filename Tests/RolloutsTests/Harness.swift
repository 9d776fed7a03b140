import Primitives
import TestSupport

@testable import Rollouts

/// A fleet of devices that obey `decide`, and a controller that makes their plan.
///
/// Nothing here judges quality: the verdicts are given by the test.
struct Harness {
    var state: ControllerState
    var devices: [DeviceFacts]
    var now = World.start
    var records: [DecisionRecord] = []
    var approvals: [Approval] = []
    var isRehearsed = false
    var isModelFrozen = false
    private var listing = World().listing

    init(policy: Policy, devices count: Int, seed: UInt64 = 1) throws {
        state = try ControllerState(
            creating: policy,
            reference: Plan.PolicyReference(path: World.path, sha256: World.digest(of: policy)),
            channel: .main, baseline: policy.isInitial ? nil : bundle("1.3.0"), after: nil)
        listing.policies[0] = Listing.ListedPolicy(
            path: World.path, sha256: World.digest(of: policy), policy: policy)
        var generator = SeededGenerator(seed: seed)
        devices = (0..<count).map { _ in
            Harness.device(&generator, current: policy.isInitial ? nil : bundle("1.3.0"))
        }
    }

    static func device(
        _ generator: inout SeededGenerator, current: BundleReference?
    ) -> DeviceFacts {
        var device = World.device(number: 0, current: current)
        device.id = World.id(Int.random(in: 0..<1 << 40, using: &generator))
        let region = ["eu", "us", "ap"].randomElement(using: &generator) ?? "eu"
        let kind = ["hub", "car"].randomElement(using: &generator) ?? "hub"
        let locale = ["en-GB", "en-US"].randomElement(using: &generator) ?? "en-GB"
        device.attributes = DeviceAttributes(
            number: 1, region: name(region), deviceClass: name(kind),
            labels: Bool.random(using: &generator) ? [name("office")] : [], locale: name(locale))
        device.committed = current.map { [$0] } ?? []
        device.idle = nil
        return device
    }

    var facts: ControllerFacts {
        var census = FleetCensus()
        for device in devices {
            let bucket = Bucket(of: device.id, candidate: state.plan.candidate.sha256)
            census.add(device.attributes, bucket: bucket)
        }
        return ControllerFacts(
            now: now, census: census, approvals: approvals, isRehearsed: isRehearsed,
            isModelFrozen: isModelFrozen)
    }

    @discardableResult
    mutating func handle(_ event: ControllerEvent) -> ControllerState.Step {
        let step = state.handle(event, facts)
        records += step.records
        return step
    }

    @discardableResult
    mutating func order(_ order: ControllerEvent.Order) -> ControllerState.Step {
        handle(.order(order, by: "ada", reason: "because"))
    }

    @discardableResult
    mutating func verdict(
        _ call: ControllerEvent.Finding.Call, segments: [ControllerEvent.SegmentFinding] = []
    ) -> ControllerState.Step {
        handle(
            .verdict(
                ControllerEvent.Verdict(
                    fleet: ControllerEvent.Finding(
                        call, metric: .latencyP95, evidence: "five facts"),
                    segments: segments)))
    }

    func decision(of device: DeviceFacts) -> Decision {
        var device = device
        device.freshness = DeviceFacts.Freshness(
            timestampSigned: now + -hour, timestampExpires: now + day)
        var listing = listing
        listing.approvals = approvals
        return decide(plan: .plan(state.plan), listing: listing, device: device, now: now)
    }

    /// Lets every device obey, commit at once, and say what it was told.
    @discardableResult
    mutating func poll() -> [Decision] {
        devices.indices.map { index in
            let decision = decision(of: devices[index])
            guard let target = decision.target else { return decision }
            devices[index].idle = devices[index].current
            devices[index].current = target
            devices[index].committed.insert(target)
            if case .forward = decision.action { devices[index].lastForwardSwap = now }
            return decision
        }
    }

    var onCandidate: Set<DeviceID> {
        Set(devices.filter { $0.current == state.plan.candidate }.map(\.id))
    }

    func count(in cohort: Cohort, where test: (DeviceFacts) -> Bool) -> Int {
        devices.count { $0.attributes.cohort == cohort && test($0) }
    }
}
