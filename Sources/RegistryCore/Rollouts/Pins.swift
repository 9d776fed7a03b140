package import Primitives
import Rollouts

/// Holds single devices to a version: testers, a device under repair, one that a customer wants left alone.
package struct Pins: Sendable {
    /// The longest that a pin may hold, in seconds.
    package static let longest: Int64 = 366 * 86_400

    private let store: any RegistryStoring
    private let blobs: any BlobStoring
    private let publisher: PlanPublisher

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys,
        schedule: MetadataSchedule = MetadataSchedule()
    ) {
        self.store = store
        self.blobs = blobs
        publisher = PlanPublisher(
            store: store, blobs: blobs, signer: OnlineSigner(keys: keys, schedule: schedule))
    }

    /// The pins of a channel that have not expired, by device.
    package func list(
        _ model: ModelName, _ channel: ChannelName, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> [PinRecord] {
        try authorise(actor, .read, on: .model(model))
        return try store.read { (records) throws(RegistryError) in
            guard try records.rollout(model, channel) != nil else {
                throw .notFound("rollout", "\(model)/\(channel)")
            }
            return try records.pins(model, channel).filter { now < $0.expires }
        }
    }

    /// Pins a device, or changes its pin; published on return.
    ///
    /// The pin lasts until the end of the day or hour in which it was to end (`PinRecord.end`).
    ///
    /// - Throws: `.notFound` for a device that is not enrolled, and a rollout that there is none of;
    ///   `.refusedByPolicy` for a version that is not live or is withdrawn, a moment that is over or too far off, and for
    ///   more devices on a release whose least soak times are not over than its policy allows: devices would refuse all.
    package func pin(
        _ device: DeviceID, _ request: PinRequest, _ model: ModelName, _ channel: ChannelName,
        by actor: Principal, at now: UTCTime
    ) throws(RegistryError) -> PinRecord {
        try authorise(actor, .operate, on: .model(model))
        try checkFreeText(request.owner, named: "owner", limit: RolloutDesk.reasonLimit)
        guard request.owner.contains(where: { $0 != " " }) else {
            throw .malformed(
                FieldError(
                    path: "owner", expected: "who answers for the pin", found: "nothing"))
        }
        try checkFreeText(request.reason, named: "reason", limit: RolloutDesk.reasonLimit)
        let record = try store.write { (records) throws(RegistryError) in
            guard try records.device(device) != nil else {
                throw .notFound("device", device.description)
            }
            let shelf = try ModelShelf(model, in: records, blobs: blobs)
            let rollout = try Self.rollout(model, channel, in: records)
            let record = PinRecord(
                device: device, model: model, channel: channel,
                bundle: try Self.bundle(request, shelf, rollout, at: now),
                expires: PinRecord.end(of: request.expires, at: now), owner: request.owner,
                reason: request.reason, made: now)
            try records.setPin(record)
            try change(rollout, request.reason, shelf, in: records, by: actor, at: now)
            try records.append(
                .pinned(record, rollout: rollout), by: Actor(actor), at: now)
            return record
        }
        try publisher.publish(model, at: now)
        return record
    }

    /// Lets a device follow its channel again; published on return.
    ///
    /// - Throws: `.notFound` where it is not pinned.
    package func unpin(
        _ device: DeviceID, _ model: ModelName, _ channel: ChannelName, reason: String,
        by actor: Principal, at now: UTCTime
    ) throws(RegistryError) {
        try authorise(actor, .operate, on: .model(model))
        try checkFreeText(reason, named: "reason", limit: RolloutDesk.reasonLimit)
        try store.write { (records) throws(RegistryError) in
            let rollout = try Self.rollout(model, channel, in: records)
            guard try records.dropPin(of: device, model, channel) else {
                throw .notFound("pin", device.description)
            }
            let shelf = try ModelShelf(model, in: records, blobs: blobs)
            try change(rollout, reason, shelf, in: records, by: actor, at: now)
            try records.append(
                .unpinned(device, reason: reason, rollout: rollout), by: Actor(actor), at: now)
        }
        try publisher.publish(model, at: now)
    }

    // MARK: The plan

    private static func rollout(
        _ model: ModelName, _ channel: ChannelName, in records: any RegistryRecords
    ) throws(RegistryError) -> RolloutRecord {
        guard let rollout = try records.rollout(model, channel) else {
            throw .notFound("rollout", "\(model)/\(channel)")
        }
        return rollout
    }

    private static func bundle(
        _ request: PinRequest, _ shelf: ModelShelf, _ rollout: RolloutRecord, at now: UTCTime
    ) throws(RegistryError) -> BundleReference {
        var problems: [String] = []
        let bundle = shelf.bundles[request.version]
        if bundle == nil {
            problems.append("version: expected one that is live, got \(request.version)")
        }
        if rollout.state.plan.withdrawn.contains(where: { $0.version == request.version }) {
            problems.append("version: expected one that is not withdrawn, got \(request.version)")
        }
        if !(now + 1...now + longest).contains(request.expires) {
            problems.append(
                "expires: expected a moment within the next \(longest / 86_400) days, got \(request.expires)"
            )
        }
        guard let bundle, problems.isEmpty else { throw .refusedByPolicy(problems) }
        return bundle
    }

    /// Puts the channel's pins into its plan, and drops those that have expired.
    private func change(
        _ rollout: RolloutRecord, _ reason: String, _ shelf: ModelShelf,
        in records: any RegistryRecords, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) {
        var live: [PinRecord] = []
        for pin in try records.pins(rollout.model, rollout.channel) {
            if now < pin.expires {
                live.append(pin)
            } else {
                _ = try records.dropPin(of: pin.device, rollout.model, rollout.channel)
            }
        }
        try check(live, shelf, at: now)
        try RolloutMove(records: records, blobs: blobs, now: now).pin(
            PinRecord.groups(of: live), reason: reason, by: actor, rollout)
    }

    /// Devices refuse every pin to a release whose least soak times are not over where a plan has more than `max_pins`.
    private func check(
        _ pins: [PinRecord], _ shelf: ModelShelf, at now: UTCTime
    ) throws(RegistryError) {
        var problems: [String] = []
        for bundle in Set(pins.map(\.bundle)).sorted(by: { $0.version < $1.version }) {
            let policies = shelf.listing.policies.map(\.policy).filter { $0.candidate == bundle }
            let count = pins.count { $0.bundle == bundle }
            guard let most = policies.map(\.maxPins).max(),
                let matures = policies.map(\.matures).min(), now < matures, count > most
            else { continue }
            problems.append(
                "pins: expected at most \(most) (max_pins) on \(bundle.version) before \(matures), got \(count)"
            )
        }
        guard problems.isEmpty else { throw .refusedByPolicy(problems) }
    }
}

extension PinRecord {
    /// As plans have them: by version and moment, hashes of devices.
    static func groups(of pins: [PinRecord]) -> [PinGroup] {
        struct Key: Hashable {
            let bundle: BundleReference
            let expires: UTCTime
        }
        let groups = Dictionary(grouping: pins) { Key(bundle: $0.bundle, expires: $0.expires) }
        return groups.map { key, pins in
            PinGroup(
                bundle: key.bundle, expires: key.expires,
                devices: pins.map { DeviceHash(of: $0.device, model: $0.model) })
        }.sorted {
            ($0.expires, $0.bundle.version) < ($1.expires, $1.bundle.version)
        }
    }
}
