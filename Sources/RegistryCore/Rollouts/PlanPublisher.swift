import Cryptography
import Primitives
import Rollouts
import TUF

/// Makes what the controllers have decided visible: their plans as targets of `plans.<m>`.
///
/// It compares what is to be with what is, so it may be called at any time, any number of times, and goes
/// on where a crash cut it short: blob first, then metadata, snapshot and timestamp in one transaction.
struct PlanPublisher: Sendable {
    let store: any RegistryStoring
    let blobs: any BlobStoring
    let signer: OnlineSigner

    /// Publishes the plans of a model that differ from the published ones.
    ///
    /// - Returns: whether anything differed.
    @discardableResult
    func publish(_ model: ModelName, at now: UTCTime) throws(RegistryError) -> Bool {
        try store.write { (records) throws(RegistryError) in
            let published = try Self.targets(of: model, in: records)
            var targets = published
            for rollout in try records.rollouts(of: model) {
                guard let state = rollout.inForce else { continue }
                let bytes = state.plan.json.canonicalBytes
                let target = TargetDescription(of: bytes)
                targets[.plan(of: model, rollout.channel)] = target
                if let digest = target.hashes.sha256 { try blobs.put(bytes, digest) }
            }
            guard targets != published else { return false }
            try signer.publishPlans(of: model, targets: targets, in: records, at: now)
            try records.append(
                .plansPublished(model, changed: Self.changes(published, targets)), by: .registry,
                at: now)
            return true
        }
    }

    /// The plan of a channel that devices see now; nil where there is none.
    static func published(
        _ model: ModelName, _ channel: ChannelName, in records: any MetadataStoring,
        blobs: any BlobStoring
    ) throws(RegistryError) -> Plan? {
        let target = try targets(of: model, in: records)[.plan(of: model, channel)]
        guard let digest = target?.hashes.sha256 else { return nil }
        guard let bytes = try blobs.bytes(of: digest, limit: Plan.longest) else {
            throw .storage("blob \(digest) of a plan is missing")
        }
        do { return try Plan(parsing: bytes) } catch {
            throw .storage("the published plan cannot be read: \(error)")
        }
    }

    private static func targets(
        of model: ModelName, in records: any MetadataStoring
    ) throws(RegistryError) -> [TargetPath: TargetDescription] {
        let live: Draft<Targets>? = try LiveRepository.draft(.plans(model), in: records)
        return live?.content.targets ?? [:]
    }

    private static func changes(
        _ old: [TargetPath: TargetDescription], _ new: [TargetPath: TargetDescription]
    ) -> [(TargetPath, SHA256Digest)] {
        new.sorted { $0.key < $1.key }.compactMap { path, target in
            guard old[path] != target, let digest = target.hashes.sha256 else { return nil }
            return (path, digest)
        }
    }
}
