import Cryptography
import FleetSimulation
import Primitives
import Rollouts
import Synchronization
import Telemetry

/// Some devices of a whole fleet, worked on by one thread at a time.
final class FleetBlock: Sendable {
    /// What one device says at once.
    struct Batch: Sendable {
        /// The device's place in the block, and in the fleet.
        let place: Int
        let index: Int
        let device: DeviceID
        let reports: [Report]
    }

    let attributes: [DeviceAttributes]
    private let indices: [Int]
    private let members: Mutex<[FleetMember]>

    /// The key of a device, by its place in the fleet.
    static func key(of index: Int, seed: UInt64) -> Ed25519PrivateKey {
        var random = random(of: index, seed: seed)
        return Ed25519PrivateKey(using: &random)
    }

    /// Its public key; where nothing is signed, any bytes: a million keys would take minutes.
    static func publicKey(of index: Int, _ settings: WholeFleet.Settings) -> Ed25519PublicKey {
        guard !settings.isSigned else { return key(of: index, seed: settings.seed).publicKey }
        var random = random(of: index, seed: settings.seed)
        let bytes = (0..<Ed25519PublicKey.byteCount).map { _ in
            UInt8(truncatingIfNeeded: random.next())
        }
        guard let key = Ed25519PublicKey(bytes) else { preconditionFailure("32 bytes are a key") }
        return key
    }

    private static func random(of index: Int, seed: UInt64) -> SimulationRandom {
        SimulationRandom(seed: seed, part: UInt64(index) | 1 << 62)
    }

    init(
        _ devices: [(id: DeviceID, index: Int, cohort: Int)], installed: BundleReference,
        _ settings: WholeFleet.Settings
    ) {
        var members: [FleetMember] = []
        for (id, index, place) in devices {
            let cohort = settings.cohorts[place]
            let locale =
                cohort.locales.isEmpty
                ? cohort.attributes.locale : cohort.locales[index % cohort.locales.count]
            members.append(
                FleetMember(
                    id: id,
                    attributes: DeviceAttributes(
                        number: 1, region: cohort.cohort.region,
                        deviceClass: cohort.cohort.deviceClass, labels: cohort.labels,
                        locale: locale),
                    installed: installed, epoch: settings.start.seconds, model: settings.model,
                    levelShift: cohort.levelShift, cohort: place, seed: settings.seed, index: index)
            )
        }
        indices = devices.map(\.index)
        attributes = members.map(\.agent.attributes)
        self.members = Mutex(members)
    }

    /// All poll.
    func poll(_ line: PublishedLine, _ settings: WholeFleet.Settings, at now: UTCTime) -> [Batch] {
        gather { member in
            let effect = Self.effect(on: member, settings)
            return member.poll(line, model: settings.model, effect: effect, at: now)
        }
    }

    /// Those that sent something hear what the registry has of it.
    func acknowledge(
        _ accepted: [Int: Set<Int64>], _ line: PublishedLine, _ settings: WholeFleet.Settings,
        at now: UTCTime
    ) -> [Batch] {
        members.withLock { members in
            accepted.sorted { $0.key < $1.key }.compactMap { place, sequences in
                let effect = Self.effect(on: members[place], settings)
                return batch(
                    place, members[place].agent.id,
                    members[place].acknowledge(sequences, line, effect: effect, at: now))
            }
        }
    }

    /// All are used for a tick, and most upload.
    func use(
        _ line: PublishedLine, _ settings: WholeFleet.Settings, since: UTCTime, at now: UTCTime
    ) -> (batches: [Batch], turns: Int) {
        var turns = 0
        let batches = gather { member in
            let effect = Self.effect(on: member, settings)
            let before = member.agent.turns
            let report = member.use(
                line, model: settings.model, effect: effect, since: since, at: now)
            turns += member.agent.turns - before
            return [report].compactMap(\.self)
        }
        return (batches, turns)
    }

    private func gather(_ say: (inout FleetMember) -> [Report]) -> [Batch] {
        members.withLock { members in
            members.indices.compactMap { place in
                batch(place, members[place].agent.id, say(&members[place]))
            }
        }
    }

    private func batch(_ place: Int, _ device: DeviceID, _ reports: [Report]) -> Batch? {
        reports.isEmpty
            ? nil : Batch(place: place, index: indices[place], device: device, reports: reports)
    }

    /// What a version does on a device: the candidate what its cohort or its locale says, any other nothing.
    private static func effect(
        on member: FleetMember, _ settings: WholeFleet.Settings
    ) -> (SemanticVersion) -> CandidateEffect {
        let cohort = settings.cohorts[member.cohort]
        let own = cohort.localeEffects[member.agent.attributes.locale] ?? cohort.effect
        return { $0 == MadeUpRepository.candidate ? own : CandidateEffect() }
    }
}
