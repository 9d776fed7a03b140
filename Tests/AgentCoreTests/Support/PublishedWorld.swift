import AgentCore
import ModelBundle
import Primitives
import Rollouts
import TUF
import TestSupport

extension MemoryRegistry {
    /// Publishes a world as whoever holds the keys of each role would, whatever is wrong with it.
    ///
    /// - Parameters:
    ///   - world: whose manifests, release documents and timestamp.
    ///   - plan: the bytes of the plan, nil for none.
    func publish(_ world: RolloutWorld, plan: [UInt8]?) {
        let releases = ["1.2.0", "1.3.0", "1.4.0"].map { RolloutWorld.release($0) }
        for release in releases { serve(release) }
        simulator.edit { repository in
            for (version, digest) in world.manifests {
                let path = TargetPath.manifest(of: Self.model, version)
                for release in releases where release.target.sha256 == digest {
                    repository.add(release.target.bytes, at: path, to: .model(Self.model))
                }
                guard world.requirements[digest] == nil else { continue }
                // Listed, and longer than a device reads.
                repository.roles[.model(Self.model)]?.targets[path] = TargetDescription(
                    length: Int64(Manifest.byteLimit) + 1, sha256: digest)
            }
            for document in world.documents {
                repository.add(document.bytes, at: document.path, to: .model(Self.model))
            }
            if let plan {
                repository.add(plan, at: .plan(of: Self.model, .main), to: .plans(Self.model))
            }
            let freshness = world.device.freshness
            for role in repository.roles.keys
            where freshness.expiredOfflineRoles.contains(role.description) {
                repository.roles[role]?.expires = world.now + -1
            }
            repository.update(.model(Self.model))
            repository.update(.plans(Self.model))
            repository.timestamp.signedAt = freshness.timestampSigned
            repository.timestamp.expires = freshness.timestampExpires
            repository.updateTimestamp()
        }
    }
}

extension TestDevice {
    /// A device whose agent has run before, and remembers what these facts say.
    convenience init(_ registry: MemoryRegistry, at now: UTCTime, knowing facts: DeviceFacts) throws
    {
        let profile = DeviceProfile(
            id: facts.id, model: facts.model, channel: facts.channel,
            attributes: facts.attributes, agent: facts.agent)
        var state = JournalState(
            machine: MachineState(facts), observation: Observation(epoch: now + -1),
            attributes: facts.attributes)
        state.trust.remember(facts.withdrawn)
        try self.init(registry, at: now, profile: profile, hardware: facts.hardware) {
            (slots, journal) in
            for (slot, bundle) in [(Slot.b, facts.idle), (.a, facts.current)] {
                guard let bundle else { continue }
                let target = RolloutWorld.release(bundle.version.description).target
                _ = try slots.stage(target, into: slot, from: registry, until: Interrupt())
            }
            if facts.current != nil { try slots.activate(.a) }
            try journal.save(state, queueing: [])
        }
    }
}

extension MachineState {
    /// What an agent remembers of which `decide` knows these facts.
    init(_ facts: DeviceFacts) {
        let isInstalled = facts.current != nil
        self.init(
            state: .resting(isInstalled ? .committed : .idle),
            slots: SlotTable(
                active: isInstalled ? .a : nil,
                contents: PerSlot(a: facts.current, b: facts.idle)),
            committed: facts.committed.sorted { $0.version < $1.version },
            rollbackFloor: facts.rollbackFloor, lastForwardSwap: facts.lastForwardSwap,
            isHeld: facts.isHeld)
        for rejection in facts.rejected {
            let bundle = BundleReference(
                version: rejection.version, sha256: rejection.sha256, length: 1)
            trials.update(bundle, at: rejection.at) { $0.rejection = .probation(.error) }
        }
    }
}
