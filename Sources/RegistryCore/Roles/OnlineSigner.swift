import Primitives
import TUF

/// Signs what the registry signs by itself, inside the transaction of whatever made it necessary.
///
/// The order of writing is role, snapshot, timestamp; all are in one transaction, so that after a crash
/// clients find either none of them or all.
struct OnlineSigner: Sendable {
    let keys: OnlineKeys
    let schedule: MetadataSchedule

    /// Adds new versions of some roles, and the snapshot and timestamp that make them visible.
    func publish(
        _ files: [StoredRole], in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) {
        for file in files { try records.add(file, at: now) }
        let repository = try LiveRepository(records)
        guard repository.isComplete else { return }
        let plans = try missingPlans(in: repository, records, at: now)
        for file in plans { try records.add(file, at: now) }
        let listed = (files + plans).filter { $0.role != .root }
        let updates = Dictionary(
            listed.map {
                ($0.role, MetaFile(listing: $0.role, version: $0.version, bytes: $0.bytes))
            }
        ) { _, last in last }
        try signSnapshot(listing: updates, under: repository, in: records, at: now)
        try signTimestamp(under: repository, in: records, at: now)
    }

    /// Signs new plans metadata of a model with other targets, and makes it visible.
    func publishPlans(
        of model: ModelName, targets: [TargetPath: TargetDescription],
        in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) {
        let role = RoleName.plans(model)
        let repository = try LiveRepository(records)
        let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
        guard let verifiers = repository.verifiers(of: role), let live else {
            throw .notFound("model", model.description)
        }
        var next = live.content.next(expires: now + schedule.plansLife)
        next.targets = targets
        let file = try keys.sign(next, of: role, for: .plans, named: verifiers)
        try publish([file], in: records, at: now)
    }

    /// Signs anew what has not long to live, or is not signed by today's keys.
    ///
    /// - Returns: the roles that were signed.
    func renew(
        in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) -> [RoleName] {
        let repository = try LiveRepository(records)
        guard repository.isComplete else { return [] }
        let plans = try duePlans(in: repository, records, at: now)
        let isSnapshotDue = try isDue(
            Snapshot.self, .snapshot, life: schedule.snapshotLife, repository, records, now)
        if !plans.isEmpty || isSnapshotDue {
            try publish(plans, in: records, at: now)
            return plans.map(\.role) + [.snapshot, .timestamp]
        }
        guard try isTimestampDue(repository, records, now) else { return [] }
        try signTimestamp(under: repository, in: records, at: now)
        return [.timestamp]
    }

    // MARK: Plans

    /// Empty plans metadata for models that have none, or whose keys have changed.
    private func missingPlans(
        in repository: LiveRepository, _ records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) -> [StoredRole] {
        try plans(in: repository, records, at: now) { live, verifiers in
            !live.progress(towards: verifiers).isComplete
        }
    }

    private func duePlans(
        in repository: LiveRepository, _ records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) -> [StoredRole] {
        let margin = MetadataSchedule.margin(schedule.plansLife)
        return try plans(in: repository, records, at: now) { live, verifiers in
            live.content.expires <= now + margin
                || !live.progress(towards: verifiers).isComplete
        }
    }

    private func plans(
        in repository: LiveRepository, _ records: any RegistryRecords, at now: UTCTime,
        where isDue: (Draft<Targets>, Verifiers) -> Bool
    ) throws(RegistryError) -> [StoredRole] {
        var files: [StoredRole] = []
        for role in repository.roles where role.isPlans {
            guard let verifiers = repository.verifiers(of: role) else { continue }
            let live: Draft<Targets>? = try LiveRepository.draft(role, in: records)
            let expires = now + schedule.plansLife
            let next: Targets
            if let live {
                guard isDue(live, verifiers) else { continue }
                next = live.content.next(expires: expires)
            } else {
                next = Targets(expires: expires, of: role)
            }
            files.append(try keys.sign(next, of: role, for: .plans, named: verifiers))
        }
        return files
    }

    // MARK: Snapshot and timestamp

    private func signSnapshot(
        listing updates: [RoleName: MetaFile], under repository: LiveRepository,
        in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) {
        let live: Draft<Snapshot>? = try LiveRepository.draft(.snapshot, in: records)
        let expires = now + schedule.snapshotLife
        let next: Snapshot
        if let live {
            next = live.content.next(listing: updates, expires: expires)
        } else {
            next = Snapshot(expires: expires, meta: updates)
        }
        let file = try sign(next, .snapshot, .snapshot, repository)
        try records.add(file, at: now)
    }

    private func signTimestamp(
        under repository: LiveRepository, in records: any RegistryRecords, at now: UTCTime
    ) throws(RegistryError) {
        guard let snapshot = try records.live(.snapshot) else { throw .noRepository }
        let named = MetaFile(version: snapshot.version, bytes: snapshot.bytes)
        let expires = now + schedule.timestampLife
        let live: Draft<Timestamp>? = try LiveRepository.draft(.timestamp, in: records)
        let next =
            live?.content.next(naming: named, expires: expires, signedAt: now)
            ?? Timestamp(expires: expires, signedAt: now, snapshot: named)
        let file = try sign(next, .timestamp, .timestamp, repository)
        try records.add(file, at: now)
    }

    private func sign<Content: RoleMetadata>(
        _ content: Content, _ role: RoleName, _ purpose: OnlineKeys.Purpose,
        _ repository: LiveRepository
    ) throws(RegistryError) -> StoredRole {
        guard let verifiers = repository.verifiers(of: role) else { throw .noRepository }
        return try keys.sign(content, of: role, for: purpose, named: verifiers)
    }

    private func isDue<Content: RoleMetadata>(
        _ type: Content.Type, _ role: RoleName, life: Int64, _ repository: LiveRepository,
        _ records: any RegistryRecords, _ now: UTCTime
    ) throws(RegistryError) -> Bool {
        let live: Draft<Content>? = try LiveRepository.draft(role, in: records)
        guard let live, let verifiers = repository.verifiers(of: role) else { return true }
        return live.content.expires <= now + MetadataSchedule.margin(life)
            || !live.progress(towards: verifiers).isComplete
    }

    private func isTimestampDue(
        _ repository: LiveRepository, _ records: any RegistryRecords, _ now: UTCTime
    ) throws(RegistryError) -> Bool {
        let live: Draft<Timestamp>? = try LiveRepository.draft(.timestamp, in: records)
        guard let signed = live?.content.signedAt, signed <= now,
            now - signed < schedule.timestampInterval
        else { return true }
        return try isDue(
            Timestamp.self, .timestamp, life: schedule.timestampLife, repository, records, now)
    }
}

extension RoleName {
    /// Whether this is the `plans.` role of a model.
    var isPlans: Bool { modelName.map { self == .plans($0) } ?? false }

    /// Whether this is the `model.` role of a model.
    var isModel: Bool { modelName.map { self == .model($0) } ?? false }
}
