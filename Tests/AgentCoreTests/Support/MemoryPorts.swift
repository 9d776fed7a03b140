import AgentCore
import Cryptography
import ModelBundle
import Primitives
import Rollouts
import Speech
import Synchronization

/// Slots in memory, filled by real fetches whose digests are checked.
final class MemorySlots: SlotStoring, Sendable {
    struct State {
        var active: Slot?
        var contents = PerSlot<SlotContents>(both: .empty)
        var manifests = PerSlot<ManifestTarget?>(both: nil)
        var failure: SlotError?
        var activations: [Slot?] = []
    }

    let state = Mutex(State())

    /// Lets every further `stage` fail so; nil ends it.
    func fail(_ failure: SlotError?) { state.withLock { $0.failure = failure } }

    var activations: [Slot?] { state.withLock { $0.activations } }

    func survey() throws(SlotError) -> SlotSurvey {
        state.withLock { SlotSurvey(active: $0.active, contents: $0.contents) }
    }

    func stage(
        _ target: ManifestTarget, into slot: Slot, from source: any Fetching, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        precondition(state.withLock { $0.active } != slot, "staged into the active slot")
        var fetched: Int64 = 0
        for file in target.manifest.files {
            var hash = SHA256()
            do {
                try source.blob(file.sha256, range: 0..<file.length, until: stop) { piece in
                    unsafe piece.withUnsafeBytes { unsafe hash.update($0) }
                    return true
                }
            } catch { throw .fetch(error) }
            let found = hash.finish()
            guard found == file.sha256 else {
                throw .wrongBytes(path: file.path, expected: file.sha256, found: found)
            }
            fetched += file.length
        }
        state.withLock { state in
            state.contents[slot] = .whole(target.reference)
            state.manifests[slot] = target
        }
        return StagingSummary(fetchedBytes: fetched, reusedBytes: 0)
    }

    func verify(
        _ slot: Slot, holds bundle: BundleReference, until stop: Interrupt
    ) throws(SlotError) {
        guard state.withLock({ $0.contents[slot].wholeBundle }) == bundle else {
            throw .notWhole(slot)
        }
    }

    func activate(_ slot: Slot?) throws(SlotError) {
        try state.withLock { (state) throws(SlotError) in
            if let slot, state.contents[slot].wholeBundle == nil { throw .notWhole(slot) }
            state.active = slot
            state.activations.append(slot)
        }
    }

    func manifest(in slot: Slot) throws(SlotError) -> ManifestTarget? {
        state.withLock { $0.manifests[slot] }
    }

    /// Rot: the slot's bytes are not what they were.
    func damage(_ slot: Slot) {
        state.withLock { state in
            if let bundle = state.contents[slot].wholeBundle {
                state.contents[slot] = .damaged(bundle)
            }
        }
    }
}

/// A smoke test whose verdict the test decides.
final class ScriptedProbing: Probing, Sendable {
    private let verdicts: Mutex<[SmokeVerdict]>

    init(_ verdicts: [SmokeVerdict] = []) { self.verdicts = Mutex(verdicts) }

    func then(_ verdict: SmokeVerdict) { verdicts.withLock { $0.append(verdict) } }

    func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict {
        verdicts.withLock { $0.isEmpty ? .passed(Fixture.measurement) : $0.removeFirst() }
    }
}

/// A journal in memory that keeps its bytes, so that what cannot be written and read back shows.
final class MemoryJournal: Journaling {
    private(set) var saves = 0
    private var text: String?
    private var reports: [QueuedReport] = []
    var failure: JournalError?

    func load() throws(JournalError) -> JournalState? {
        guard let text else { return nil }
        do {
            return try JournalState(
                try JSON(parsing: Array(text.utf8), limit: JournalState.byteLimit))
        } catch { throw .database(code: 11, message: "\(error)") }
    }

    func save(_ state: JournalState, queueing queued: [QueuedReport]) throws(JournalError) {
        if let failure { throw failure }
        saves += 1
        text = state.json.text
        for report in queued {
            reports.removeAll { report.series != nil && $0.series == report.series }
            reports.append(report)
        }
    }

    func queue(limit: Int) throws(JournalError) -> [QueuedReport] {
        Array(reports.prefix(limit))
    }

    func dequeue(_ sequences: [Int64]) throws(JournalError) {
        reports.removeAll { sequences.contains($0.sequence) }
    }
}

/// Targets by digest in memory.
final class MemoryCache: TargetCaching, Sendable {
    private let files = Mutex([SHA256Digest: [UInt8]]())

    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? {
        files.withLock { $0[digest] }
    }

    func keep(_ bytes: [UInt8], as digest: SHA256Digest) { files.withLock { $0[digest] = bytes } }

    func retain(only digests: Set<SHA256Digest>) {
        files.withLock { files in files = files.filter { digests.contains($0.key) } }
    }

    var count: Int { files.withLock { $0.count } }
}

struct TestSurroundings: Surroundings {
    func hardware() -> DeviceFacts.Hardware {
        DeviceFacts.Hardware(architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30)
    }
}
