import AgentCore
import Primitives

/// What stood in the way of one round of the agent, by the newest word of each kind of job.
struct OnceOutcome {
    private var poll: AgentError?
    private var staging: AgentError?
    private var enrolment: AgentError?
    private var post: AgentError?

    /// Hears how a job ended.
    mutating func hear(_ result: JobResult) {
        switch result {
        case .polled(let result): poll = result.error.map { AgentError($0) }
        case .staged(let result): staging = result.error.map { AgentError($0) }
        case .enrolled(let result): enrolment = result.error.flatMap { AgentError($0) }
        case .posted(_, let result):
            post = result.error.map { AgentError("cannot post reports: \($0)", $0) }
        case .probed, .verified, .discarded: break
        }
    }

    /// The first of poll, download, enrolment and reports that failed; nil where all was done.
    var trouble: AgentError? { poll ?? staging ?? enrolment ?? post }
}

extension Result {
    fileprivate var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}

extension AgentError {
    fileprivate init(_ message: String, _ error: FetchError) {
        self.init(error.isRetryable ? .unreachable : .refused, message)
    }

    /// Nil where there is nothing to enrol with: that is for a person, and was logged.
    fileprivate init?(_ failure: EnrolmentFailure) {
        switch failure {
        case .noToken: return nil
        case .unreachable: self.init(.unreachable, "\(failure)")
        case .refused: self.init(.refused, "\(failure)")
        }
    }

    fileprivate init(_ error: PollError) {
        switch error {
        case .fetch(let reason): self.init("\(error)", reason)
        case .interrupted: self.init(.unreachable, "\(error)")
        case .refused, .wrongTarget, .oldPlan: self.init(.refused, "\(error)")
        case .storage: self.init(.storage, "\(error)")
        }
    }

    fileprivate init(_ error: SlotError) {
        let message = "cannot stage: \(error)"
        switch error {
        case .fetch(let reason): self.init(message, reason)
        case .interrupted: self.init(.unreachable, message)
        case .wrongBytes, .overBudget: self.init(.refused, message)
        case .leased: self.init(.busy, message)
        case .insufficientStorage, .notWhole, .system: self.init(.storage, message)
        }
    }
}
