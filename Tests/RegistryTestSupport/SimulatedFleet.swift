import Cryptography
import Glibc
import ModelBundle
package import Primitives
import RegistryCore
package import Rollouts
import TUF
import Telemetry
import TestSupport

/// How a version behaves on the devices of a simulated fleet.
package struct VersionBehaviour: Sendable {
    /// Times the device's own latency.
    package var slowdown = 1.0
    /// The share of failed turns.
    package var errors = 0.01
    /// The share of devices on which its smoke test fails, that die on the swap, or go back by themselves.
    package var failsSmoke = 0.0
    package var bricks = 0.0
    package var goesBack = 0.0
    /// Only devices of this region behave so; all where nil.
    package var region: AttributeName?

    package init() {}
}

/// Devices that follow the published plan by the real `decide`, and report through the real use case.
///
/// What is simulated is only the turns: a device's own speed, and what a version makes of it.
package final class SimulatedFleet {
    /// One device with what its journal would hold.
    private struct Unit {
        var device: TestDevice
        var current: BundleReference?
        var committed: Set<BundleReference> = []
        var rejected: [DeviceFacts.Rejection] = []
        var withdrawn: [Withdrawal] = []
        var lastForward: UTCTime?
        var reference: Reference?
        var tally = TurnTally()
        var window: UTCTime?
        var countingSince: UTCTime?
        var isDead = false
        let speed: Double
        let luck: Double
    }

    private let registry: TestRegistry
    private var units: [Unit]
    private var random: SeededGenerator
    /// By version; others behave as they should.
    package var behaviours: [SemanticVersion: VersionBehaviour] = [:]
    /// Turns of a device between two reports.
    package var turnsPerReport = 12
    /// How far reports are let through: false for an outage.
    package var isOnline = true

    package init(
        _ registry: TestRegistry, count: Int, regions: [String] = ["eu"], seed: UInt64 = 1
    ) {
        self.registry = registry
        var random = SeededGenerator(seed: seed)
        units = (0..<count).map { index in
            Unit(
                device: TestDevice(
                    "fleet-\(seed)-\(index)", model: registry.model,
                    region: regions[index % regions.count]),
                speed: exp(Self.normal(&random) * 0.3), luck: .random(in: 0..<1, using: &random))
        }
        self.random = random
    }

    package var devices: [TestDevice] { units.map(\.device) }

    /// What each living device runs.
    package var versions: [SemanticVersion?: Int] {
        units.filter { !$0.isDead }.reduce(into: [:]) { $0[$1.current?.version, default: 0] += 1 }
    }

    /// What living devices of one region run.
    package func versions(in region: String) -> Set<SemanticVersion?> {
        Set(
            units.filter { !$0.isDead && $0.device.attributes.region.description == region }
                .map(\.current?.version))
    }

    package func enrol(at now: UTCTime) throws {
        for unit in units { try registry.enrol(unit.device, at: now) }
    }

    /// Puts a bundle on every device, as the factory does.
    package func install(_ bundle: BundleReference) {
        for index in units.indices {
            units[index].current = bundle
            units[index].committed = [bundle]
        }
    }

    /// Every device polls, decides, swaps where it may, uses its model, and reports.
    package func step(at now: UTCTime) throws {
        let world = try World(registry)
        for index in units.indices where !units[index].isDead {
            try step(&units[index], world, at: now)
        }
    }

    // MARK: One device

    private func step(_ unit: inout Unit, _ world: World, at now: UTCTime) throws {
        let decision = decide(
            plan: world.plan.map { .plan($0) } ?? .none, listing: world.listing,
            device: facts(of: unit, world, at: now), now: now)
        let place = world.place(decision)
        unit.withdrawn = world.plan?.withdrawn ?? []
        if let target = decision.target {
            try move(&unit, to: target, place, decision, at: now)
            guard !unit.isDead else { return }
        }
        use(&unit, place, world, at: now)
        try send(&unit, .periodic, place, at: now)
    }

    private func move(
        _ unit: inout Unit, to target: BundleReference, _ place: RolloutPlace?,
        _ decision: Decision, at now: UTCTime
    ) throws {
        let behaviour = behaviour(of: target.version, on: unit)
        if case .back = decision.action {
            unit.current = target
            unit.tally = TurnTally()
            return try send(&unit, .transition, place, at: now)
        }
        try send(&unit, .attempt, place, candidate: target.version, at: now)
        let isFailing = unit.luck < behaviour.failsSmoke
        try send(
            &unit, .smoke, place, candidate: target.version,
            failure: isFailing ? .wrongWords : nil, at: now)
        guard !isFailing else {
            reject(&unit, target, at: now)
            return
        }
        try send(&unit, .swapBeacon, place, candidate: target.version, at: now)
        unit.isDead = unit.luck < behaviour.bricks
        let before = unit.current
        unit.reference = before.flatMap {
            Reference(version: $0.version, tally: unit.tally, leastTurns: 20)
        }
        unit.current = target
        unit.lastForward = now
        unit.tally = TurnTally()
        guard !unit.isDead, unit.luck < behaviour.goesBack else {
            unit.committed.insert(target)
            return
        }
        unit.current = before
        reject(&unit, target, at: now)
        try send(
            &unit, .localRollback, place, candidate: target.version, reasons: [.midSlow], at: now)
    }

    private func reject(_ unit: inout Unit, _ bundle: BundleReference, at now: UTCTime) {
        unit.rejected.append(
            DeviceFacts.Rejection(version: bundle.version, sha256: bundle.sha256, at: now))
    }

    /// Uses the model for one interval; figures start anew with each stage window, after the burn-in.
    private func use(_ unit: inout Unit, _ place: RolloutPlace?, _ world: World, at now: UTCTime) {
        if let place, place.window != unit.window {
            if unit.reference == nil, let current = unit.current {
                unit.reference = Reference(
                    version: current.version, tally: unit.tally, leastTurns: 20)
            }
            unit.window = place.window
            unit.tally = TurnTally()
            unit.countingSince = nil
        }
        guard let current = unit.current else { return }
        if let place, now < place.window + world.burnIn { return }
        unit.countingSince = unit.countingSince ?? now
        let behaviour = behaviour(of: current.version, on: unit)
        for _ in 0..<turnsPerReport {
            let noise = exp(Self.normal(&random) * 0.25)
            let milliseconds = 400 * unit.speed * noise * behaviour.slowdown
            var turn = TurnRecord(latencyMicroseconds: Int64(milliseconds * 1_000))
            turn.error = .random(in: 0..<1, using: &random) < behaviour.errors
            unit.tally.record(turn)
        }
    }

    private func send(
        _ unit: inout Unit, _ kind: ReportKind, _ place: RolloutPlace?,
        candidate: SemanticVersion? = nil, failure: ReasonCode? = nil,
        reasons: [ReasonCode] = [], at now: UTCTime
    ) throws {
        guard isOnline else { return }
        let trace = TraceID("0123456789abcdef0123456789abcdef")
        let held = unit
        let report = unit.device.report(kind, .committed, at: now) { report in
            report.version = held.current?.version
            report.candidate = candidate
            report.place = place
            report.reasons = reasons
            report.reference = held.reference
            if kind == .periodic {
                report.tally = held.tally
                report.countingSince = held.countingSince
            }
            if kind == .attempt || kind == .smoke {
                report.attempt = trace.map { AttemptMark(number: 1, trace: $0) }
            }
            if kind == .smoke { report.smoke = SmokeFigures(failure: failure) }
        }
        let receipt = try registry.send(unit.device, report, at: now)
        guard receipt.refused.isEmpty else { throw SampleError.refused(receipt.refused[0].code) }
    }

    private func behaviour(of version: SemanticVersion, on unit: Unit) -> VersionBehaviour {
        guard let behaviour = behaviours[version],
            behaviour.region == nil || behaviour.region == unit.device.attributes.region
        else { return VersionBehaviour() }
        return behaviour
    }

    private func facts(of unit: Unit, _ world: World, at now: UTCTime) -> DeviceFacts {
        DeviceFacts(
            id: unit.device.id, model: registry.model, attributes: unit.device.attributes,
            current: unit.current, committed: unit.committed, rejected: unit.rejected,
            withdrawn: unit.withdrawn, lastForwardSwap: unit.lastForward, agent: world.agent,
            hardware: DeviceFacts.Hardware(
                architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30),
            freshness: DeviceFacts.Freshness(
                timestampSigned: now, timestampExpires: now + 86_400))
    }

    /// Box and Muller.
    private static func normal(_ random: inout SeededGenerator) -> Double {
        let first = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
        let second = Double.random(in: 0..<1, using: &random)
        return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
    }

    /// What a device has downloaded and verified.
    private struct World {
        let listing: Listing
        let plan: Plan?
        let planVersion: Int64
        let agent: SemanticVersion
        let burnIn: Int64

        init(_ registry: TestRegistry) throws {
            guard let agent = SemanticVersion("1.0.0") else { throw SampleError.impossible }
            self.agent = agent
            listing = try registry.listing()
            let (plan, version) = try registry.publishedPlan()
            self.plan = plan
            planVersion = version
            let policy = listing.policies.first { $0.sha256 == plan?.policy.sha256 }
            burnIn = policy?.policy.burnInSeconds ?? 0
        }

        func place(_ decision: Decision) -> RolloutPlace? {
            guard let plan, let arm = decision.arm, let begun = plan.stages.last else {
                return nil
            }
            return RolloutPlace(
                plan: planVersion, stage: Int64(plan.stages.count - 1), arm: arm,
                window: begun.began)
        }
    }
}

extension TestRegistry {
    /// What the live metadata of the model lists, read as a device reads it.
    package func listing() throws -> Listing {
        var listing = Listing()
        for (path, target) in try modelTargets(at: .epoch).targets {
            guard let digest = target.hashes.sha256,
                let bytes = try blobs.bytes(of: digest, limit: 1 << 20)
            else { throw SampleError.impossible }
            if path.parts[0] == "bundles" {
                let name = String(path.parts[2].dropLast(5))
                guard let version = SemanticVersion(name) else { throw SampleError.impossible }
                listing.manifests[version] = digest
                listing.requirements[digest] = try requirements(bytes)
                continue
            }
            switch try ReleaseDocument(parsing: bytes, at: path) {
            case .policy(let policy):
                listing.policies.append(
                    Listing.ListedPolicy(path: path, sha256: digest, policy: policy))
            case .approval(let approval): listing.approvals.append(approval)
            case .lift(let lift): listing.lifts.append(lift)
            }
        }
        return listing
    }

    /// The plan that devices see, and the TUF version that orders it.
    package func publishedPlan() throws -> (Plan?, Int64) {
        let stored = try store.read { (records) throws(RegistryError) in
            try records.live(.plans(model))
        }
        guard let stored else { return (nil, 0) }
        let targets = try Draft<Targets>(parsing: stored.bytes, as: .plans(model)).content
        let digest = targets.targets[.plan(of: model, .main)]?.hashes.sha256
        let plan = try digest.flatMap { try blobs.bytes(of: $0, limit: Plan.longest) }
            .map { try Plan(parsing: $0) }
        return (plan, stored.version.number)
    }
}
