package import Primitives
package import Rollouts

/// `POST /v1/rollouts`: which release shall spread in which channel, under which policy.
package struct RolloutRequest: Sendable, Hashable {
    package let model: ModelName
    package let channel: ChannelName
    package let candidate: SemanticVersion
    /// The policy's name, as in `policies/<m>/<version>.<name>.json`.
    package let policy: AttributeName
    /// Whether this is a first release, which replaces nothing.
    package let isInitial: Bool
    /// Whether whoever asks has seen the warnings and goes on all the same.
    package let acknowledges: Bool
    /// Turns of a device in a day, for what the stages can show; as devices report where nil.
    package let turnsPerDay: Int64?

    package init(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion,
        policy: AttributeName, isInitial: Bool, acknowledges: Bool = false,
        turnsPerDay: Int64? = nil
    ) {
        self.model = model
        self.channel = channel
        self.candidate = candidate
        self.policy = policy
        self.isInitial = isInitial
        self.acknowledges = acknowledges
        self.turnsPerDay = turnsPerDay
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
        acknowledges = try fields.optionalBool("acknowledge") ?? false
        turnsPerDay = try fields.optionalInteger("turns_per_day", in: FleetUsage.range)
        try fields.refuseUnknown()
    }
}

/// An order that a person gives to a rollout, in the word of `POST /v1/rollouts/{model}/{channel}/{order}`.
package enum RolloutOrder: String, Sendable, Hashable, CaseIterable {
    case start
    case advance
    case pause
    /// The rollout, or one segment that is paused.
    case resume
    case rollback
    case freeze
    case unfreeze
    /// Takes the candidate back in one segment, and goes on elsewhere.
    case exclude
    /// Undoes that.
    case include
}

/// An order with what it is about, where it is not about the whole rollout.
package struct RolloutInstruction: Sendable, Hashable {
    package let order: RolloutOrder
    /// For `exclude`, `include`, and `resume` of a paused one.
    package let segment: Segment?
    /// For `freeze` and `unfreeze`: a weekly window instead of now.
    package let window: FreezeWindow?
    /// For `rollback`: also withdraws a first release, which leaves devices without a model.
    package let leavesNoModel: Bool
    /// For the audit log; at most `RolloutDesk.reasonLimit` bytes.
    package let reason: String

    package init(
        _ order: RolloutOrder, segment: Segment? = nil, window: FreezeWindow? = nil,
        leavesNoModel: Bool = false, reason: String = ""
    ) {
        self.order = order
        self.segment = segment
        self.window = window
        self.leavesNoModel = leavesNoModel
        self.reason = reason
    }

    /// Whether it holds for all channels of the model.
    var isOfModel: Bool { (order == .freeze || order == .unfreeze) && window == nil }

    /// Reads `{"reason"?, "segment"?, "window"?, "leave_no_model"?}`.
    package init(_ order: RolloutOrder, reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        let reason = try fields.optionalString("reason", limit: RolloutDesk.reasonLimit) ?? ""
        var segment: Segment?
        if let json = fields.optional("segment") {
            segment = try Segment(reading: json, at: "segment")
        }
        var window: FreezeWindow?
        if let json = fields.optional("window") {
            window = try FreezeWindow(reading: json, at: "window")
        }
        let leavesNoModel = try fields.optionalBool("leave_no_model") ?? false
        try fields.refuseUnknown()
        self.init(
            order, segment: segment, window: window, leavesNoModel: leavesNoModel, reason: reason)
    }

    /// The controller's own event; an ordered advance without proof is labelled so.
    ///
    /// - Throws: `.malformed` where a segment is missing, or something is named that the order has no use for;
    ///   `.stateConflict` for a window that is there already, or is not.
    func event(in state: ControllerState) throws(RegistryError) -> ControllerEvent.Order {
        if order != .rollback { try refuse(leavesNoModel ? true : nil, "leave_no_model") }
        switch order {
        case .exclude: return .exclude(try needed(segment))
        case .include: return .include(try needed(segment))
        case .resume:
            try refuse(window, "window")
            return segment.map { .resumeSegment($0) } ?? .resume
        case .freeze, .unfreeze:
            try refuse(segment, "segment")
            guard let window else { return order == .freeze ? .freeze : .unfreeze }
            return .setFreezeWindows(try windows(of: state.plan, with: window))
        case .start, .advance, .pause, .rollback:
            try refuse(segment, "segment")
            try refuse(window, "window")
        }
        switch order {
        case .start: return .start
        case .advance: return .advance(unproven: true)
        case .pause: return .pause
        default: return .rollback(leavesNoModel: leavesNoModel)
        }
    }

    private func windows(
        of plan: Plan, with window: FreezeWindow
    ) throws(RegistryError) -> [FreezeWindow] {
        let isThere = plan.freezeWindows.contains(window)
        guard isThere == (order == .unfreeze) else {
            throw .stateConflict(
                order: order.rawValue,
                reason:
                    "freeze window: expected one that is \(isThere ? "not " : "")set, got \(window)"
            )
        }
        return isThere
            ? plan.freezeWindows.filter { $0 != window } : plan.freezeWindows + [window]
    }

    private func needed(_ segment: Segment?) throws(RegistryError) -> Segment {
        try refuse(window, "window")
        guard let segment else {
            throw .malformed(
                FieldError(
                    path: "segment", expected: "a segment to \(order.rawValue)", found: "nothing"))
        }
        return segment
    }

    private func refuse<Value>(_ value: Value?, _ name: String) throws(RegistryError) {
        guard value == nil else {
            throw .malformed(
                FieldError(
                    path: name, expected: "none with '\(order.rawValue)'", found: "one"))
        }
    }
}
