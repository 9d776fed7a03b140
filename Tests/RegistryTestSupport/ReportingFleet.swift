package import FleetSimulation
package import Primitives
import RegistryCore
package import Rollouts
import TUF
import Telemetry
import TestSupport

/// How a version behaves on the devices of a fleet.
package struct VersionBehaviour: Sendable {
    package var effect = CandidateEffect()
    /// Only devices of this region behave so; all where nil.
    package var region: AttributeName?

    package init() {}
}

/// Simulated devices that follow what a registry has published, and report to it through the real use case.
package final class ReportingFleet {
    /// Some twelve turns between two reports, with less noise than people make: the fleets of tests are small.
    private static let model: FleetModel = {
        var model = FleetModel()
        model.meanTurns = 12
        model.turnsSpread = 0
        model.turnSpread = 0.25
        model.deviceSpread = 0.3
        model.slowDrift = 0
        model.tickDrift = 0
        model.correlation = 0
        return model
    }()

    private let registry: TestRegistry
    package let devices: [TestDevice]
    private var agents: [SimulatedAgent] = []
    private var random: SimulationRandom
    /// By version; others behave as they should.
    package var behaviours: [SemanticVersion: VersionBehaviour] = [:]
    /// Whether reports are let through: false for an outage.
    package var isOnline = true

    package init(
        _ registry: TestRegistry, count: Int, regions: [String] = ["eu"], seed: UInt64 = 1
    ) {
        self.registry = registry
        random = SimulationRandom(seed: seed)
        devices = (0..<count).map { index in
            TestDevice(
                "fleet-\(seed)-\(index)", model: registry.model,
                region: regions[index % regions.count])
        }
        install(nil)
    }

    package func enrol(at now: UTCTime) throws {
        for device in devices { try registry.enrol(device, at: now) }
    }

    /// Puts a bundle on every device, as the factory does.
    package func install(_ bundle: BundleReference?) {
        agents = devices.map { device in
            SimulatedAgent(
                id: device.id, attributes: device.attributes, installed: bundle,
                epoch: device.epoch, model: Self.model, random: &random)
        }
    }

    /// What each living device runs.
    package var versions: [SemanticVersion?: Int] {
        living.reduce(into: [:]) { $0[$1.current?.version, default: 0] += 1 }
    }

    /// What living devices of one region run.
    package func versions(in region: String) -> Set<SemanticVersion?> {
        Set(
            living.filter { $0.attributes.region.description == region }.map(\.current?.version))
    }

    private var living: [SimulatedAgent] { agents.filter { !$0.isBricked } }

    /// Every device polls, decides, swaps where it may, uses its model, and reports.
    package func step(at now: UTCTime) throws {
        let line = try registry.store.read { (records) throws(RegistryError) in
            try PublishedLine(registry.model, .main, in: records, blobs: registry.blobs)
        }
        for index in agents.indices where !agents[index].isBricked {
            let effect = effect(on: agents[index])
            let began = agents[index].poll(line, effect: effect, at: now)
            let heard = try send(began, index, at: now)
            let ended = agents[index].acknowledge(heard, line, effect: effect, at: now)
            try send(ended, index, at: now)
            guard !agents[index].isBricked else { continue }
            let running = agents[index].current.map { effect($0.version) }
            agents[index].use(
                line, model: Self.model, effect: running ?? CandidateEffect(), since: now, ticks: 1,
                random: &random)
            try send([agents[index].periodic(line, at: now)], index, at: now)
        }
    }

    private func effect(on agent: SimulatedAgent) -> (SemanticVersion) -> CandidateEffect {
        { [behaviours, region = agent.attributes.region] version in
            guard let behaviour = behaviours[version],
                behaviour.region == nil || behaviour.region == region
            else { return CandidateEffect() }
            return behaviour.effect
        }
    }

    /// - Returns: the sequence numbers that the registry has.
    @discardableResult
    private func send(_ reports: [Report], _ index: Int, at now: UTCTime) throws -> Set<Int64> {
        guard isOnline, !reports.isEmpty else { return [] }
        let device = devices[index]
        let receipt = try registry.reports.take(
            device.batch(reports.map(device.signed)), at: now)
        guard receipt.refused.isEmpty else { throw SampleError.refused(receipt.refused[0].code) }
        return Set(receipt.accepted)
    }
}

extension TestRegistry {
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
