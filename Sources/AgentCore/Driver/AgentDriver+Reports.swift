import Cryptography
import Primitives
import Telemetry

extension AgentDriver {
    func reportFigures(_ now: UTCTime) {
        let interval = judgement?.reportInterval ?? settings.reportInterval
        timers.report = now + interval + Int64.random(in: 0...(interval / 8), using: &random)
        let before = observation
        let writer = reportWriter(now, leases: (try? slots.survey())?.leases)
        let report = writer.periodic(&observation)
        do {
            try write([report])
            // What was put off after a failure, or at the registry's wish, stays put off.
            timers.post = timers.post ?? now
        } catch {
            observation = before
            log(.warning, "cannot queue a report: \(error)")
        }
    }

    /// Keeps to a policy that asks for reports sooner than it was known to ask when the next one was put off.
    func bringFiguresForward(_ now: UTCTime) {
        guard let interval = judgement?.reportInterval, let due = timers.report,
            due > now + interval + interval / 8
        else { return }
        timers.report = now + Int64.random(in: 1...interval, using: &random)
    }

    /// Posts the oldest queued reports, unless a batch is under way; first the device has to be enrolled.
    func post(_ now: UTCTime) {
        timers.post = timers.opening
        guard timers.opening == nil, !isUnderWay({ $0 == .post || $0 == .enrol }) else { return }
        guard isEnrolled else {
            return order(.enrol(isForgotten: standing == .forgotten), .enrol)
        }
        postQueue(now)
    }

    /// Whether the registry knows this device, as far as it has said.
    package var isEnrolled: Bool { standing == .enrolled }

    private func postQueue(_ now: UTCTime) {
        do {
            let queue = try journal.queue(limit: ReportBatch.reportLimit)
            let strangers = queue.filter { $0.body["device"]?.string != "\(profile.id)" }
            guard strangers.isEmpty else { return try forget(strangers, now) }
            guard let batch = try ReportBatch(queue, from: profile.id, signedBy: key) else {
                return
            }
            order(.post(batch), .post)
        } catch let error as SigningError {
            log(.error, "cannot sign reports: \(error)")
            timers.post = now + settings.reportInterval
        } catch {
            log(.error, "cannot read the report queue: \(error)")
            timers.post = now + settings.reportInterval
        }
    }

    /// Reports of the device that this one was before it lost its key; the registry would take none of them.
    private func forget(_ strangers: [QueuedReport], _ now: UTCTime) throws(JournalError) {
        log(.warning, "\(strangers.count) reports were made under another key, and are dropped")
        try journal.dequeue(strangers.map(\.sequence))
        timers.post = now
    }

    func enrolled(_ result: Result<Void, EnrolmentFailure>, _ now: UTCTime) {
        switch result {
        case .success:
            log(.notice, "this device is enrolled")
            (standing, enrolmentFailure) = (.enrolled, nil)
            timers.post = now
        case .failure(let failure):
            if failure != enrolmentFailure { log(.warning, failure.description) }
            enrolmentFailure = failure
            if case .unreachable(_, let wait) = failure {
                postFailures += 1
                timers.post = nextPost(after: wait, isRetryable: true, now)
            } else if standing == .forgotten {
                // It may remember: a registry can be put back as it was.
                postQueue(now)
            }
        }
    }

    func posted(
        _ batch: ReportBatch, _ result: Result<ReportReceipt, FetchError>, _ now: UTCTime
    ) {
        switch result {
        case .success(let receipt): accepted(receipt, of: batch, now)
        case .failure(let error):
            postFailures += 1
            if postFailures == 1 { log(.warning, "cannot post reports: \(error)") }
            if error == .notFound {
                if isEnrolled { log(.error, "the registry does not know this device") }
                standing = .forgotten
            }
            timers.post = nextPost(after: error.retryAfter, isRetryable: error.isRetryable, now)
        }
    }

    /// Exponential with full jitter while the budget of repetitions lasts; nil is with the next report.
    private func nextPost(
        after wait: Int64?, isRetryable: Bool, _ now: UTCTime
    ) -> UTCTime? {
        let earliest = now + (wait ?? 0)
        let bound = min(settings.reportInterval, 2 << Int64(min(postFailures, 16)))
        let early = earliest + Int64.random(in: 1...max(1, bound), using: &random)
        if isRetryable, retries.book(early, of: allowedRetries) { return early }
        return wait == nil ? nil : early
    }

    private func accepted(_ receipt: ReportReceipt, of batch: ReportBatch, _ now: UTCTime) {
        (postFailures, standing) = (0, .enrolled)
        let sent = Set(batch.sequences)
        for refusal in receipt.refused where sent.contains(refusal.sequence) {
            log(.warning, "report \(refusal.sequence) was refused: \(refusal.code)")
        }
        let done = (receipt.accepted + receipt.refused.map(\.sequence)).filter(sent.contains)
        var isDequeued = !done.isEmpty
        do { try journal.dequeue(done) } catch {
            log(.warning, "cannot forget posted reports: \(error)")
            // Posted at once they would be the same again, and so for ever.
            isDequeued = false
        }
        if let beacon = batch.beacon, receipt.accepted.contains(beacon.sequence),
            case .announcing(let attempt) = machine.state, attempt.trace == beacon.trace
        {
            waiting.append(.beaconAcknowledged)
        }
        // What came meanwhile goes at once; what the registry said nothing about waits.
        timers.post = isDequeued ? now : now + settings.reportInterval
    }
}
