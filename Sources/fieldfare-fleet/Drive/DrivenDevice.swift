import AgentCore
import Cryptography
import FieldfareAgent
import FleetSimulation
import PosixFiles
import Primitives
import RegistryCore
import Synchronization
import TUF
import Telemetry

/// A simulated device that follows a real registry: its own key, connection, trusted metadata and state.
final class DrivenDevice {
    private let context: DriveContext
    private let client: RegistryClient
    private let cycle: PollCycle<MetadataMemory>
    private let meter: DriveMeter
    private let stop = Interrupt()
    private var random: SimulationRandom
    private var device: MadeUpDevice

    var agent: SimulatedAgent { device.agent }

    /// Makes a key, trusts the root, connects and enrols.
    init(
        _ context: DriveContext, _ index: Int, _ token: BearerText, _ meter: DriveMeter
    ) throws(DriveTrouble) {
        self.context = context
        self.meter = meter
        var random = SimulationRandom(seed: context.seed, part: UInt64(index))
        var system = SystemRandomNumberGenerator()
        let key = Ed25519PrivateKey(using: &system)
        let attributes = DeviceAttributes(
            number: 1, region: context.regions[index % context.regions.count],
            deviceClass: context.deviceClasses[
                index / context.regions.count % context.deviceClasses.count],
            labels: [], locale: context.regions[0])
        let now = SystemClock.now()
        device = MadeUpDevice(
            key: key,
            agent: SimulatedAgent(
                id: DeviceID(of: key.publicKey), attributes: attributes, installed: nil,
                epoch: now.seconds, model: context.fleet, random: &random))
        self.random = random
        let store = MetadataMemory()
        do {
            try Refresh(fetcher: NoFetching(), store: store, start: now)
                .install(trustedRoot: context.root)
        } catch {
            throw DriveTrouble(text: "root of trust: \(error)")
        }
        client = RegistryClient(base: context.base, settings: context.settings)
        cycle = PollCycle(
            fetching: MeteredFetching(fetching: client, meter: meter), store: store,
            cache: TargetMemory(), stop: stop)
        try enrol(MadeUpDevice.enrolment(of: key, attributes, token: token))
    }

    private func enrol(_ request: JSON) throws(DriveTrouble) {
        let id: DeviceID
        do {
            id = try meter.measure(.enrolment) { () throws(FetchError) in
                try client.enrol(request, until: stop)
            }
        } catch {
            throw DriveTrouble(text: "enrolment: \(error)")
        }
        guard id == agent.id else {
            throw DriveTrouble(text: "enrolment: expected the device's own id, got another")
        }
    }

    /// Polls, decides, announces, is used for a while, and reports.
    func round() throws(DriveTrouble) {
        let line = try poll()
        let effect = { (_: SemanticVersion) in CandidateEffect() }
        let now = SystemClock.now()
        let announced = device.agent.poll(line, effect: effect, at: now)
        let accepted = try send(announced)
        try send(device.agent.acknowledge(accepted, line, effect: effect, at: now))
        device.agent.use(
            line, model: context.fleet, effect: CandidateEffect(), since: now, ticks: 1,
            random: &random)
        try send([device.agent.periodic(line, at: now)])
    }

    private func poll() throws(DriveTrouble) -> PublishedLine {
        let material: PollMaterial
        do {
            material = try cycle.run(
                PollQuestion(
                    model: context.model, channel: context.channel, device: agent.id,
                    concerned: [agent.current].compactMap(\.self), start: SystemClock.now()))
        } catch {
            throw DriveTrouble(text: "\(error)")
        }
        if case .unreadable(let reason) = material.plan {
            throw DriveTrouble(text: "plan: expected one that can be read, got \(reason)")
        }
        return PublishedLine(
            model: context.model, channel: context.channel, listing: material.listing,
            plan: material.readablePlan, planVersion: material.planVersion ?? 0)
    }

    /// - Returns: the sequence numbers that the registry has.
    @discardableResult
    private func send(_ reports: [Report]) throws(DriveTrouble) -> Set<Int64> {
        guard !reports.isEmpty else { return [] }
        let batch = device.batch(reports)
        let receipt: ReportReceipt
        do {
            receipt = try meter.measure(.reports) { () throws(FetchError) in
                try client.post(batch, until: stop)
            }
        } catch {
            throw DriveTrouble(text: "reports: \(error)")
        }
        meter.countAccepted(receipt.accepted.count)
        guard receipt.accepted.count == reports.count else {
            let code = receipt.refused.first?.code ?? "nothing said"
            throw DriveTrouble(
                text:
                    "reports: expected \(reports.count) accepted, got \(receipt.accepted.count) (\(code))"
            )
        }
        return Set(receipt.accepted)
    }
}

/// The root of trust is at hand: nothing is fetched for it.
private struct NoFetching: MetadataFetching {
    func fetch(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? { nil }
}

/// Policies and manifests of one device, for as long as the process lives.
private final class TargetMemory: TargetCaching {
    private let targets = Mutex<[SHA256Digest: [UInt8]]>([:])

    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? {
        targets.withLock { $0[digest] }.flatMap { $0.count <= limit ? $0 : nil }
    }

    func keep(_ bytes: [UInt8], as digest: SHA256Digest) {
        targets.withLock { $0[digest] = bytes }
    }

    func retain(only digests: Set<SHA256Digest>) {
        targets.withLock { $0 = $0.filter { digests.contains($0.key) } }
    }
}
