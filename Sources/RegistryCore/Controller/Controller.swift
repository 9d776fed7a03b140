package import Health
package import Primitives
import Rollouts

/// Moves all rollouts on: looks, judges, decides, writes the decision down, and only then acts on it.
///
/// Each rollout's decision is one transaction: the new state, the audit records with their evidence, and
/// what was judged once for good. Its effects follow in a second one (`PlanPublisher`) and bear repeating,
/// so the controller may be stopped between any two steps and goes on when it is called again.
package struct Controller: Sendable {
    /// What one tick did; what failed is tried again at the next.
    package struct Report: Sendable {
        /// Rollouts at which the gate looked.
        package var looks = 0
        package var decisions: [DecisionNote] = []
        package var failures: [Failure] = []
    }

    /// A decision, for the log.
    package struct DecisionNote: Sendable, Hashable {
        package let model: ModelName
        package let channel: ChannelName
        /// The kind of decision, in the word of the audit log.
        package let kind: String
        package let evidence: String
    }

    package struct Failure: Sendable, Hashable {
        package let model: ModelName
        package let error: RegistryError
    }

    /// The gate, as the controller asks it.
    package typealias Judge = @Sendable (GateParameters, StageEvidence) -> Judgement

    private let store: any RegistryStoring
    private let blobs: any BlobStoring
    private let publisher: PlanPublisher
    private let judge: Judge

    package init(
        store: any RegistryStoring, blobs: any BlobStoring, keys: OnlineKeys,
        schedule: MetadataSchedule = MetadataSchedule(),
        judge: @escaping Judge = { HealthGate($0).judge($1) }
    ) {
        self.judge = judge
        self.store = store
        self.blobs = blobs
        publisher = PlanPublisher(
            store: store, blobs: blobs, signer: OnlineSigner(keys: keys, schedule: schedule))
    }

    /// Goes through all rollouts once; call it every few seconds, from one place at a time.
    ///
    /// The gate looks at a rollout once in its policy's `gate_interval`. One rollout's failure does not keep
    /// the others from moving.
    ///
    /// - Throws: only what keeps it from knowing the rollouts at all.
    package func tick(at now: UTCTime) throws(RegistryError) -> Report {
        var report = Report()
        let lines = try store.read { (records) throws(RegistryError) in
            try records.rolloutLines()
        }
        for line in lines {
            do { try move(line, at: now, &report) } catch {
                report.failures.append(Failure(model: line.model, error: error))
            }
        }
        for model in Set(lines.map(\.model)).sorted() {
            do { try publisher.publish(model, at: now) } catch {
                report.failures.append(Failure(model: model, error: error))
            }
        }
        return report
    }

    private func move(
        _ line: RolloutLine, at now: UTCTime, _ report: inout Report
    ) throws(RegistryError) {
        let rollout = try store.read { (records) throws(RegistryError) in
            try records.rollout(line.model, line.channel)
        }
        guard let rollout, rollout.state.isStarted, RolloutMove.isDue(rollout, at: now) else {
            return
        }
        let moved = try store.write { (records) throws(RegistryError) in
            try RolloutMove(records: records, blobs: blobs, now: now, judge: judge)
                .move(line.model, line.channel)
        }
        guard let moved else { return }
        report.looks += moved.hasLooked ? 1 : 0
        report.decisions += moved.records.map {
            DecisionNote(
                model: line.model, channel: line.channel, kind: $0.kind.rawValue,
                evidence: $0.evidence)
        }
    }
}
