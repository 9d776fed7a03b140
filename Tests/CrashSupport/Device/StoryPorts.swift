import AgentCore
import AgentJournal
import Cryptography
import ModelBundle
import Primitives
import Rollouts
import Speech
import Synchronization
import TestSupport

/// The journal of a story's device; a bad variant of it writes each state only when three more have come.
final class StoryJournal: Journaling {
    private let base: Journal
    private let isLate: Bool
    private var late: [(state: JournalState, reports: [QueuedReport])] = []

    init(_ base: Journal, isLate: Bool) {
        self.base = base
        self.isLate = isLate
    }

    var lasting: LastingMemory? { base.lasting }

    func giveUpReserve() -> Bool { base.giveUpReserve() }

    func load() throws(JournalError) -> JournalState? { try base.load() }

    func save(
        _ state: JournalState, queueing reports: [QueuedReport]
    ) throws(JournalError) {
        guard isLate else { return try base.save(state, queueing: reports) }
        late.append((state, reports))
        guard late.count > 3 else { return }
        let first = late.removeFirst()
        try base.save(first.state, queueing: first.reports)
    }

    func queue(limit: Int) throws(JournalError) -> [QueuedReport] { try base.queue(limit: limit) }

    func dequeue(_ sequences: [Int64]) throws(JournalError) { try base.dequeue(sequences) }
}

/// A registry whose receipts are seen.
struct StoryRegistry: Reporting {
    let base: MemoryRegistry
    let witness: any Witnessing

    func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt {
        let receipt = try base.post(batch, until: stop)
        for report in batch["reports"]?.array ?? [] {
            guard let body = report["signed"], let sequence = body["sequence"]?.integer else {
                continue
            }
            let kind = body["kind"]?.string ?? "-"
            let candidate = body["candidate"]?.string ?? "-"
            witness.see(
                .reported(
                    sequence, SHA256.digest(of: body.canonicalBytes), "\(kind) \(candidate)"))
        }
        return receipt
    }

    func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID {
        try base.enrol(request, until: stop)
    }
}

/// A smoke test that every bundle passes, and that is seen.
struct StoryProbing: Probing {
    let slots: any SlotStoring
    let witness: any Witnessing

    func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict {
        guard let manifest = try? slots.manifest(in: slot)?.manifest else {
            throw .noBundle(slot)
        }
        witness.see(.probed(manifest.version.description))
        return try PassingProbing(slots: slots).probe(slot, deviceClass: deviceClass, until: stop)
    }
}
