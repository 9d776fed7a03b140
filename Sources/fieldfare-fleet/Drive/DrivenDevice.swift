import AgentCore
import Cryptography
import CurlTransport
import FieldfareAgent
import FleetSimulation
import PosixFiles
import Primitives
import RegistryAccess
import RegistryCore
import Telemetry

/// What all devices of a drive have in common.
struct DriveLine: Sendable {
    static let userAgent = "fieldfare-fleet"

    let registry: RegistryAddress
    let trustedRoot: [UInt8]
    let model: ModelName
    let channel: ChannelName
    let meter = DriveMeter()
    /// Never set: a drive ends with its last round, or with the process.
    let stop = Interrupt()
}

/// One device of a driven fleet: a key, a connection, trusted metadata and a state of its own.
///
/// It polls by the agent's own client and refresh, decides by `decide` on what it has verified, and signs what it
/// reports. Made up are its turns, and that a bundle which it decides for is there and passes its smoke test.
struct DrivenDevice: Sendable {
    /// How much a device is used between two reports, in ticks of `FleetModel`: some 20 turns.
    static let ticks = 4.0
    private static let usage = FleetModel()

    private let line: DriveLine
    private let registry: MeteredRegistry
    private let memory: DeviceMemory
    private var device: MadeUpDevice
    private var random: SimulationRandom
    private var lastRound: UTCTime
    private(set) var isEnrolled = false

    /// Makes a device with a new key; nothing is sent yet.
    init(_ line: DriveLine, attributes: DeviceAttributes, at now: UTCTime) {
        var system = SystemRandomNumberGenerator()
        let key = Ed25519PrivateKey(using: &system)
        random = SimulationRandom(seed: system.next())
        self.line = line
        registry = MeteredRegistry(
            client: RegistryClient(
                base: line.registry.base, settings: line.registry.settings(DriveLine.userAgent)),
            meter: line.meter)
        memory = DeviceMemory(trustedRoot: line.trustedRoot)
        device = MadeUpDevice(
            key: key,
            agent: SimulatedAgent(
                id: DeviceID(of: key.publicKey), attributes: attributes, installed: nil,
                epoch: now.seconds, model: Self.usage, random: &random))
        lastRound = now
    }

    var id: DeviceID { device.agent.id }
    var swaps: Int { device.agent.swaps }
    /// What its requests have cost.
    var transfers: TransferMetrics { registry.client.metrics }

    /// Becomes known to the registry.
    mutating func enrol(_ token: BearerText) {
        let body = MadeUpDevice.enrolment(
            of: device.key, device.agent.attributes, token: token)
        do {
            let known = try registry.enrol(body, until: line.stop)
            isEnrolled = known == id
            guard isEnrolled else {
                return line.meter.count {
                    $0.add(untrusted: "enrolment: expected the device's own id, got another")
                }
            }
        } catch {
            // The meter has counted it; the device stays out of every round.
        }
    }

    /// Polls, goes where it is to go, is used, and reports.
    mutating func round() {
        guard isEnrolled, let published = poll() else { return }
        let sound = CandidateEffect()
        let effect = { (_: SemanticVersion) in sound }
        let now = SystemClock.now()
        var reports = device.agent.poll(published, effect: effect, at: now)
        while !reports.isEmpty {
            let accepted = send(reports)
            reports = device.agent.acknowledge(accepted, published, effect: effect, at: now)
        }
        device.agent.use(
            published, model: Self.usage, effect: sound, since: lastRound, ticks: Self.ticks,
            random: &random)
        _ = send([device.agent.periodic(published, at: now)])
        lastRound = now
    }

    /// What the registry publishes for this device, verified from the trusted root; nil where that failed.
    private func poll() -> PublishedLine? {
        let cycle = PollCycle(
            fetching: registry, store: memory, cache: memory, stop: line.stop)
        do throws(PollError) {
            let material = try cycle.run(
                PollQuestion(
                    model: line.model, channel: line.channel, device: id,
                    concerned: [device.agent.current].compactMap(\.self),
                    start: SystemClock.now()))
            return PublishedLine(
                model: line.model, channel: line.channel, listing: material.listing,
                plan: material.readablePlan, planVersion: material.planVersion ?? 0)
        } catch {
            if case .fetch = error { return nil }
            line.meter.count { $0.add(untrusted: error.description) }
            return nil
        }
    }

    /// - Returns: the sequence numbers that the registry has.
    private mutating func send(_ reports: [Report]) -> Set<Int64> {
        do {
            let receipt = try registry.post(device.batch(reports), until: line.stop)
            let accepted = Set(receipt.accepted).intersection(reports.map(\.sequence))
            line.meter.count {
                $0.add(
                    sent: reports.count, accepted: accepted.count,
                    refused: receipt.refused.map(\.code))
            }
            return accepted
        } catch {
            line.meter.count { $0.add(sent: reports.count, accepted: 0, refused: []) }
            return []
        }
    }
}
