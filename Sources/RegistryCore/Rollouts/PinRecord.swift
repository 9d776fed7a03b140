package import Primitives
package import Rollouts

/// One device, held to one version of a model until some moment, with the person who wanted that.
package struct PinRecord: Sendable, Hashable {
    package let device: DeviceID
    package let model: ModelName
    package let channel: ChannelName
    package let bundle: BundleReference
    package let expires: UTCTime
    /// Who answers for it, and why it is; at most 200 bytes each.
    package let owner: String
    package let reason: String
    package let made: UTCTime

    package init(
        device: DeviceID, model: ModelName, channel: ChannelName, bundle: BundleReference,
        expires: UTCTime, owner: String, reason: String, made: UTCTime
    ) {
        self.device = device
        self.model = model
        self.channel = channel
        self.bundle = bundle
        self.expires = expires
        self.owner = owner
        self.reason = reason
        self.made = made
    }

    /// When a pin ends that is wanted until `expires`: the next whole day (UTC), and within a day the next whole hour.
    ///
    /// A plan names a moment once for all pins that end then; moments of their own would make each pin fifteen times as long.
    package static func end(of expires: UTCTime, at now: UTCTime) -> UTCTime {
        let step: Int64 = expires - now < 86_400 ? 3_600 : 86_400
        return UTCTime(clamping: (expires.seconds + step - 1) / step * step)
    }

    package var json: JSON {
        [
            "device": .string(device.description), "bundle": bundle.json,
            "expires": .integer(expires.seconds), "owner": .string(owner),
            "reason": .string(reason), "made": .integer(made.seconds),
        ]
    }
}

/// `PUT /v1/rollouts/{model}/{channel}/pins/{id}`: which version, until when, for whom, and why.
package struct PinRequest: Sendable, Hashable {
    package let version: SemanticVersion
    package let expires: UTCTime
    package let owner: String
    package let reason: String

    package init(version: SemanticVersion, expires: UTCTime, owner: String, reason: String) {
        self.version = version
        self.expires = expires
        self.owner = owner
        self.reason = reason
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        version = try fields.parse("version", SemanticVersion.expected, SemanticVersion.init)
        expires = UTCTime(
            clamping: try fields.integer("expires", in: 0...UTCTime.latest.seconds))
        owner = try fields.string("owner", limit: RolloutDesk.reasonLimit)
        reason = try fields.string("reason", limit: RolloutDesk.reasonLimit)
        try fields.refuseUnknown()
    }
}
