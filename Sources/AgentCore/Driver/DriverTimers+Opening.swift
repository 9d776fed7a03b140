import Primitives

extension DriverTimers {
    /// Ends the wait after a start, since somebody ordered a poll: what waited with it is due now.
    mutating func endOpening(at now: UTCTime) {
        guard let opening else { return }
        self.opening = nil
        if post == opening { post = now }
        if let stage, stage <= opening { self.stage = now }
    }
}
