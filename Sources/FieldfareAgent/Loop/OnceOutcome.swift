import AgentCore
import Primitives
import Speech

/// What stood in the way of one round of the agent, by the newest word of each kind of job.
struct OnceOutcome {
    private var poll: AgentError?
    private var staging: AgentError?
    private var probe: AgentError?
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
        case .probed(.success(let verdict)): probe = AgentError(verdict)
        case .probed(.failure(let error)): probe = AgentError(error)
        case .verified, .discarded: break
        }
    }

    /// The first of poll, download, smoke test, enrolment and reports that failed; nil where all was done.
    ///
    /// A bundle that failed its smoke test is no trouble: the test has done what it is for.
    var trouble: AgentError? { poll ?? staging ?? probe ?? enrolment ?? post }
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
        case .fetch(let reason, of: _): self.init("\(error)", reason)
        case .interrupted: self.init(.unreachable, "\(error)")
        case .refused, .wrongTarget, .oldPlan: self.init(.refused, "\(error)")
        case .storage: self.init(.storage, "\(error)")
        }
    }

    fileprivate init(_ error: SlotError) {
        let message = "cannot stage: \(error)"
        switch error {
        case .fetch(let reason, of: _): self.init(message, reason)
        case .interrupted: self.init(.unreachable, message)
        case .wrongBytes, .overBudget: self.init(.refused, message)
        case .leased: self.init(.busy, message)
        case .insufficientStorage, .notWhole, .system: self.init(.storage, message)
        }
    }

    fileprivate init(_ error: ProbeError) {
        self.init(.smokeTest, "cannot make a smoke test: \(error)", hint: error.hint)
    }

    /// Nil where the test came to a judgement on the bundle, good or bad.
    fileprivate init?(_ verdict: SmokeVerdict) {
        guard case .failed(let failure, _) = verdict, !failure.isLasting else { return nil }
        self.init(
            .smokeTest,
            "smoke test: expected an end that judges the bundle, got \(failure.reason)",
            hint: "'fieldfare-agent doctor' looks at the smoke program and the speech runtime")
    }
}
