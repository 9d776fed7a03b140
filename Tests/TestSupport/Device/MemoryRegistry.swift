package import AgentCore
import ModelBundle
package import Primitives
package import Rollouts
import Synchronization
import TUF

/// A registry in memory with one model: signed metadata, targets and blobs, and what devices have reported.
package final class MemoryRegistry: Fetching, Reporting, Enrolling, Sendable {
    package static let model: ModelName = {
        guard let model = ModelName("commands-en") else { preconditionFailure("a name") }
        return model
    }()

    private struct State {
        var blobs: [SHA256Digest: [UInt8]] = [:]
        var reports: [JSON] = []
        var requests: [String] = []
        var failure: FetchError?
        var reportFailure: FetchError?
        var enrolmentFailure: EnrolmentFailure? = .noToken
        var blobFailure: FetchError?
        var piece: Int?
        var wrongTargets: Set<TargetPath> = []
    }

    package let simulator: RepositorySimulator
    private let state = Mutex(State())

    package init(now: UTCTime) { simulator = RepositorySimulator(now: now) }

    // MARK: Publishing

    /// Publishes a bundle with its policy, and returns its reference.
    package func publish(
        _ version: String, policy: JSON = [:], floor: String? = nil, now: UTCTime
    ) throws -> BundleReference {
        let bundle = try MemoryBundle(version) { fields in
            fields["rollback_floor"] = floor.map { .string($0) }
        }
        return try publish(bundle, policy: policy, now: now)
    }

    /// Publishes a bundle of the caller's with its policy, and returns its reference.
    package func publish(
        _ bundle: MemoryBundle, policy: JSON = [:], now: UTCTime
    ) throws -> BundleReference {
        serve(bundle)
        let target = bundle.target
        let version = target.manifest.version.description
        var draft: JSONObject = [
            "model": "commands-en", "candidate": .string(version),
            "replaces": .array(version == "1.0.0" ? [] : ["1.0.0...1.9.0"]),
        ]
        draft.merge(policy.object ?? [:]) { _, given in given }
        let whole = try PolicyDraft.complete(
            .object(draft), candidate: target.reference, now: now)
        let path = TargetPath.policy(of: Self.model, target.manifest.version, name: Self.name)
        let manifestPath = TargetPath.manifest(of: Self.model, target.manifest.version)
        simulator.edit { repository in
            repository.add(target.bytes, at: manifestPath, to: .model(Self.model))
            repository.add(whole.json.canonicalBytes, at: path, to: .model(Self.model))
            repository.update(.model(Self.model))
        }
        return target.reference
    }

    /// Signs a new plan; `shares` for every device, by the stages that have begun.
    package func plan(
        _ candidate: BundleReference, over baseline: BundleReference?,
        state: Plan.State = .running, stages: [UTCTime], withdrawn: [Withdrawal] = []
    ) {
        let policyPath = TargetPath.policy(of: Self.model, candidate.version, name: Self.name)
        let target = simulator.repository.roles[.model(Self.model)]?.targets[policyPath]
        guard let digest = target?.hashes.sha256 else { preconditionFailure("publish it first") }
        let plan = Plan(
            model: Self.model, channel: .main, baseline: baseline, candidate: candidate,
            policy: Plan.PolicyReference(path: policyPath, sha256: digest),
            stages: stages.map { Plan.BegunStage(began: $0) }, state: state, withdrawn: withdrawn)
        simulator.edit { repository in
            repository.add(
                plan.json.canonicalBytes, at: .plan(of: Self.model, .main), to: .plans(Self.model))
            repository.update(.plans(Self.model))
        }
    }

    /// Publishes that refusals of a bundle up to a moment no longer count.
    package func lift(_ bundle: BundleReference, until: UTCTime) {
        let lift = Lift(
            model: Self.model, version: bundle.version, sha256: bundle.sha256, until: until)
        guard let path = TargetPath("policies/\(Self.model)/\(bundle.version).lift.json") else {
            preconditionFailure("a path")
        }
        simulator.edit { repository in
            repository.add(lift.json.canonicalBytes, at: path, to: .model(Self.model))
            repository.update(.model(Self.model))
        }
    }

    package static let name: AttributeName = {
        guard let name = AttributeName("default") else { preconditionFailure("a name") }
        return name
    }()

    /// Signs the timestamp anew, as the registry does all the time.
    package func touch(_ now: UTCTime) {
        simulator.edit { repository in
            repository.now = now
            repository.timestamp.expires = now + SimulatedRepository.day
            repository.timestamp.signedAt = now
            repository.updateTimestamp()
        }
    }

    /// Has the bytes of a bundle from now on.
    package func serve(_ bundle: MemoryBundle) {
        state.withLock { state in
            for (name, bytes) in bundle.files { state.blobs[bundle.digest(of: name)] = bytes }
        }
    }

    // MARK: Faults and records

    /// Lets every further request fail so; nil ends it.
    package func fail(_ failure: FetchError?) { state.withLock { $0.failure = failure } }

    package func refuseReports(_ refuse: Bool) {
        failReports(refuse ? .busy(status: 503, retryAfter: nil) : nil)
    }

    /// Lets reports fail so, and nothing else; nil ends it.
    package func failReports(_ failure: FetchError?) {
        state.withLock { $0.reportFailure = failure }
    }

    /// Lets enrolments fail so, and nothing else; nil ends it.
    package func failEnrolment(_ failure: EnrolmentFailure?) {
        state.withLock { $0.enrolmentFailure = failure }
    }

    /// Lets the files of bundles be out of reach, and nothing else.
    package func holdBlobs(_ hold: Bool) { failBlobs(hold ? .unreachable("blobs") : nil) }

    /// Lets requests for files of bundles fail so, and nothing else; nil ends it.
    package func failBlobs(_ failure: FetchError?) { state.withLock { $0.blobFailure = failure } }

    /// Lets the connection break after so many bytes of a file; nil ends it.
    package func breakBlobs(after bytes: Int?) { state.withLock { $0.piece = bytes } }

    /// Serves other bytes for a target than those that were signed.
    package func tamper(with path: TargetPath) {
        state.withLock { _ = $0.wrongTargets.insert(path) }
    }

    package var reports: [JSON] { state.withLock { $0.reports } }
    package var requests: [String] { state.withLock { $0.requests } }
    package func forgetReports() { state.withLock { $0.reports = [] } }
    package func forgetRequests() { state.withLock { $0.requests = [] } }

    package func reports(of kind: String) -> [JSON] {
        reports.filter { $0["kind"]?.string == kind }
    }

    // MARK: The ports

    private func note(_ request: String) throws(FetchError) {
        let failure = state.withLock { state in
            state.requests.append(request)
            return state.failure
        }
        if let failure { throw failure }
    }

    package func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        try note("tuf/\(name)")
        let bytes = simulator.repository.files.first { "\($0.key)" == name }?.value
        guard let bytes else { return nil }
        guard bytes.count <= limit else { throw .tooLong(limit: Int64(limit)) }
        return bytes
    }

    package func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        try note("targets/\(path)")
        guard let bytes = simulator.repository.targetFiles[path] else { throw .notFound }
        let isWrong = state.withLock { state in
            state.wrongTargets.contains { path.description.hasSuffix($0.parts.last ?? "-") }
        }
        return isWrong ? bytes.map { $0 ^ 1 } : bytes
    }

    package func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        try note("blobs/\(digest)")
        let (failure, piece) = state.withLock { ($0.blobFailure, $0.piece) }
        if let failure { throw failure }
        guard let bytes = state.withLock({ $0.blobs[digest] }) else { throw .notFound }
        let whole = bytes[Int(range.lowerBound)..<Int(range.upperBound)]
        let part = Array(whole.prefix(piece ?? .max))
        guard unsafe sink(part.span.bytes) else { throw .interrupted }
        if part.count < whole.count { throw .unreachable("reset") }
    }

    package func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt {
        try note("reports")
        if let failure = state.withLock({ $0.reportFailure }) { throw failure }
        let signed = (batch["reports"]?.array ?? []).compactMap { $0["signed"] }
        state.withLock { $0.reports += signed }
        return ReportReceipt(accepted: signed.compactMap { $0["sequence"]?.integer })
    }

    package func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID {
        throw .refused(status: 401, code: "unauthorised")
    }

    package func enrol(isForgotten: Bool, until stop: Interrupt) throws(EnrolmentFailure) {
        let failure = state.withLock { state in
            state.requests.append(isForgotten ? "enrol again" : "enrol")
            return state.failure.map { .unreachable("\($0)", retryAfter: nil) }
                ?? state.enrolmentFailure
        }
        if let failure { throw failure }
    }
}
