import Primitives

/// Holds the facts of one decision, looks at rule after rule, and writes down what it saw.
struct Judge {
    /// A version that the plan offers this device, as what, and which way it would move.
    struct Offer {
        enum Direction { case first, forward, back }

        let bundle: BundleReference
        let role: Decision.Role
        let direction: Direction
    }

    let plan: Plan
    let listing: Listing
    let device: DeviceFacts
    let now: UTCTime
    /// The plan's own policy, where it is listed.
    let policy: Policy?
    let exposure: Exposure?
    let pin: PinGroup?
    private(set) var trace: [Decision.Step] = []
    /// When the first choice would be taken, where only time stands between.
    var waitsUntil: UTCTime?
    private var offer: Offer?

    init(plan: Plan, listing: Listing, device: DeviceFacts, now: UTCTime, trace: [Decision.Step]) {
        self.plan = plan
        self.listing = listing
        self.device = device
        self.now = now
        self.trace = trace
        policy = listing.policy(plan.policy)
        exposure = policy.map { Exposure(of: device, in: plan, under: $0) }
        pin = plan.pin(of: DeviceHash(of: device.id, model: device.model), at: now)
    }

    /// Looks at every rule that bears on an offer, also after a refusal, so that the trace is whole.
    mutating func accepts(_ offer: Offer) -> Bool {
        self.offer = offer
        let start = trace.count
        let isCommitted = device.committed.contains(offer.bundle)
        judgeVersion(offer)
        if offer.role == .candidate {
            judgeCandidate(isNew: !isCommitted)
        } else if !isCommitted {
            judgeNewVersion(offer)
        }
        judgeMovement(offer, isNew: !isCommitted)
        self.offer = nil
        return !trace[start...].contains(where: \.isRefused)
    }

    /// Writes down one rule: `isKept` or refused, with the facts it looked at.
    mutating func look(
        _ rule: RefusalReason, _ isKept: Bool, until: UTCTime? = nil,
        _ inputs: KeyValuePairs<String, String>
    ) {
        trace.append(
            Decision.Step(
                rule: rule, role: offer?.role, version: offer?.bundle.version,
                inputs: inputs.map { Decision.Step.Input(name: $0.key, value: $0.value) },
                isRefused: !isKept, until: isKept ? nil : until))
    }

    func isWithdrawn(_ bundle: BundleReference) -> Bool { withdrawal(of: bundle) != nil }

    /// The withdrawal of a bundle, by this plan or by one that the device remembers, that is not lifted.
    func withdrawal(of bundle: BundleReference) -> Withdrawal? {
        (plan.withdrawn + device.withdrawn).first { withdrawal in
            (withdrawal.version == bundle.version || withdrawal.sha256 == bundle.sha256)
                && !isLifted(bundle, at: withdrawal.at)
        }
    }

    /// This device's own rejection of a bundle that is not lifted.
    func rejection(of bundle: BundleReference) -> DeviceFacts.Rejection? {
        device.rejected.first { rejection in
            (rejection.version == bundle.version || rejection.sha256 == bundle.sha256)
                && !isLifted(bundle, at: rejection.at)
        }
    }

    private func isLifted(_ bundle: BundleReference, at moment: UTCTime) -> Bool {
        listing.lifts.contains {
            $0.undoes(bundle.version, bundle.sha256, of: device.model, at: moment)
        }
    }

    var isExcluded: Bool { plan.excluded.contains { $0.contains(device.attributes) } }
}
