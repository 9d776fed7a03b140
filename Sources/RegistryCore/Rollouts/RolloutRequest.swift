package import Primitives

/// `POST /v1/rollouts`: which release shall spread in which channel, under which policy.
package struct RolloutRequest: Sendable, Hashable {
    package let model: ModelName
    package let channel: ChannelName
    package let candidate: SemanticVersion
    /// The policy's name, as in `policies/<m>/<version>.<name>.json`.
    package let policy: AttributeName
    /// Whether this is a first release, which replaces nothing.
    package let isInitial: Bool

    package init(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion,
        policy: AttributeName, isInitial: Bool
    ) {
        self.model = model
        self.channel = channel
        self.candidate = candidate
        self.policy = policy
        self.isInitial = isInitial
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        model = try fields.parse("model", ModelName.expected, ModelName.init)
        channel =
            try fields.optionalParse("channel", ChannelName.expected, ChannelName.init) ?? .main
        candidate = try fields.parse(
            "candidate", SemanticVersion.expected, SemanticVersion.init)
        policy = try fields.parse("policy", AttributeName.expected, AttributeName.init)
        isInitial = try fields.optionalBool("initial") ?? false
        try fields.refuseUnknown()
    }
}

/// An order that a person gives to a rollout, in the word of `POST /v1/rollouts/{model}/{channel}/{order}`.
package enum RolloutOrder: String, Sendable, Hashable, CaseIterable {
    case start
    case advance
    case pause
    case resume
    case rollback
    case freeze
    case unfreeze
}
