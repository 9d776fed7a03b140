package import Speech

/// Why probation ended with the bundle refused (`docs/gate.md`).
package enum ProbationFall: String, Sendable, Hashable, CaseIterable {
    /// The median, the tail or the error channel reached its alarm.
    case mid
    case tail
    case error
    /// The first turns all failed.
    case failedFirst = "failed_first"
    /// The application's process started again and again.
    case restarts
}

/// What went wrong without being the bundle's fault, as far as one can tell.
package enum PassingTrouble: Sendable, Hashable {
    case unreachable
    case insufficientStorage
    /// More bytes than the link may carry.
    case byteBudget
    case wrongBytes
    case refusedByRegistry
    case leased
    case fileSystem
    case deadline
    case restarts
    /// The child could not be started, or nobody knows how it ended.
    case noSmokeTest
    case smoke(SmokeFailureReason)
    case activation
}

extension PassingTrouble: CustomStringConvertible {
    private static let words: [(PassingTrouble, String)] = [
        (.unreachable, "unreachable"), (.insufficientStorage, "insufficient-storage"),
        (.byteBudget, "byte-budget"),
        (.wrongBytes, "wrong-bytes"), (.refusedByRegistry, "refused-by-registry"),
        (.leased, "leased"), (.fileSystem, "file-system"), (.deadline, "deadline"),
        (.restarts, "restarts"), (.noSmokeTest, "no-smoke-test"), (.activation, "activation"),
    ]

    /// One word, or `smoke:` and the smoke test's own.
    package var description: String {
        if case .smoke(let reason) = self { return "smoke:\(reason)" }
        return Self.words.first { $0.0 == self }?.1 ?? "unknown"
    }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        if let known = Self.words.first(where: { $0.1 == text }) {
            self = known.0
        } else if text.hasPrefix("smoke:"),
            let reason = SmokeFailureReason(String(text.dropFirst(6)))
        {
            self = .smoke(reason)
        } else {
            return nil
        }
    }
}

/// Why a device refuses a bundle from now on, until the release keys lift it.
package enum RejectionReason: Sendable, Hashable {
    case smoke(SmokeFailureReason)
    /// Two smoke tests never ended: each time the agent itself was gone.
    case crashedTwice
    case probation(ProbationFall)
    /// Somebody ordered it on the device; `unhold` lifts it too.
    case ordered
}

extension RejectionReason: CustomStringConvertible {
    /// `smoke:<reason>`, `crashed-twice`, `probation:<channel>` or `ordered`.
    package var description: String {
        switch self {
        case .smoke(let reason): "smoke:\(reason)"
        case .crashedTwice: "crashed-twice"
        case .probation(let fall): "probation:\(fall.rawValue)"
        case .ordered: "ordered"
        }
    }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        switch text {
        case "crashed-twice": self = .crashedTwice
        case "ordered": self = .ordered
        default:
            if text.hasPrefix("smoke:"), let reason = SmokeFailureReason(String(text.dropFirst(6)))
            {
                self = .smoke(reason)
            } else if text.hasPrefix("probation:"),
                let fall = ProbationFall(rawValue: String(text.dropFirst(10)))
            {
                self = .probation(fall)
            } else {
                return nil
            }
        }
    }
}

/// Why the agent goes back, and so where that ends.
package enum RetreatCause: Sendable, Hashable {
    case rejected(RejectionReason)
    case failed(PassingTrouble)
    /// The plan does not want it any more.
    case withdrawn
    /// A hold was ordered before the swap; nothing is held against the bundle.
    case held

    package var outcome: RestingState {
        switch self {
        case .rejected: .rejected
        case .failed: .failed
        case .withdrawn, .held: .withdrawn
        }
    }
}

extension RetreatCause: CustomStringConvertible {
    package var description: String {
        switch self {
        case .rejected(let reason): "rejected:\(reason)"
        case .failed(let trouble): "failed:\(trouble)"
        case .withdrawn: "withdrawn"
        case .held: "held"
        }
    }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        switch text {
        case "withdrawn": self = .withdrawn
        case "held": self = .held
        default:
            if text.hasPrefix("rejected:"), let reason = RejectionReason(String(text.dropFirst(9)))
            {
                self = .rejected(reason)
            } else if text.hasPrefix("failed:"),
                let trouble = PassingTrouble(String(text.dropFirst(7)))
            {
                self = .failed(trouble)
            } else {
                return nil
            }
        }
    }
}
