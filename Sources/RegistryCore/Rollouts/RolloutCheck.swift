package import Primitives
package import Rollouts

/// `POST /v1/rollouts/check`: a policy, as it would be signed, and the channel that it is meant for.
package struct RolloutCheckRequest: Sendable, Hashable {
    package static let byteLimit = Policy.longest + 4_096

    package let policy: Policy
    package let channel: ChannelName
    /// Turns of a device in a day, for what the stages can show; as devices report where nil.
    package let turnsPerDay: Int64?

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        channel =
            try fields.optionalParse("channel", ChannelName.expected, ChannelName.init) ?? .main
        turnsPerDay = try fields.optionalInteger("turns_per_day", in: FleetUsage.range)
        do {
            policy = try Policy(reading: try fields.value("policy", "an object"))
        } catch {
            throw FieldError(
                path: error.path.isEmpty || error.path == "policy"
                    ? "policy" : "policy.\(error.path)", expected: error.expected,
                found: error.found)
        }
        try fields.refuseUnknown()
    }
}

/// What creating a rollout under a policy would meet with today.
package struct RolloutCheck: Sendable, Hashable {
    package let policy: Policy
    package let channel: ChannelName
    package let problems: [String]
    package let warnings: [String]
    /// What could not be looked at yet, and why.
    package let notes: [String]

    init(
        _ request: RolloutCheckRequest, in records: any RegistryRecords, blobs: any BlobStoring,
        at now: UTCTime
    ) throws(RegistryError) {
        policy = request.policy
        channel = request.channel
        let model = policy.model
        let version = policy.candidate.version
        let ground = try RolloutGround(
            model, channel, turnsPerDay: request.turnsPerDay, in: records, blobs: blobs, at: now)
        var notes: [String] = []
        let isPublished = ground.shelf.bundles[version] != nil
        if !isPublished {
            notes.append("candidate: \(version) is not live yet; to publish it is to sign it")
        }
        let rollout = try records.rollout(model, channel)
        let isUnderWay = rollout.map { $0.state.isStarted && !$0.isOver } ?? false
        if isUnderWay, let rollout {
            notes.append(
                "rollout: \(rollout.state.plan.candidate.version) is \(rollout.stateWord) in channel '\(channel)'; "
                    + "whether the policy fits what it leaves the devices on was not looked at")
        }
        problems = ground.problems(
            of: policy, isPublished: isPublished, isUnderWay: isUnderWay)
        warnings = ground.warnings(of: policy)
        self.notes = notes
    }

    package var json: JSON {
        func list(_ lines: [String]) -> JSON { .array(lines.map { .string($0) }) }
        return [
            "type": "rollout_check", "model": .string(policy.model.description),
            "channel": .string(channel.description), "candidate": policy.candidate.json,
            "state": problems.isEmpty ? "good" : "refused", "problems": list(problems),
            "warnings": list(warnings), "notes": list(notes),
        ]
    }
}
