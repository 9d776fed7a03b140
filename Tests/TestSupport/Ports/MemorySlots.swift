package import AgentCore
import Cryptography
import Glibc
import ModelBundle
import Primitives
package import Rollouts
import Synchronization

/// The two slots in memory: a small implementation that keeps the bytes, held to the port by `SlotStoringSuite`.
package final class MemorySlots: SlotStoring, SlotsUnderTest {
    /// One slot's folder.
    private struct Folder {
        /// The bundle that seals the folder, or is on its way into it.
        var target: ManifestTarget?
        var isSealed = false
        /// What a sealed bundle's files hold now.
        var files: [TargetPath: [UInt8]] = [:]
        /// What has come of the files of a bundle on its way: the beginning at least.
        var arrived: [SHA256Digest: [UInt8]] = [:]
        /// The bundle that did not verify.
        var damage: BundleReference?
        /// Applications that hold the slot.
        var leases = 0

        var contents: SlotContents {
            if let damage { return .damaged(damage) }
            guard let target else { return .empty }
            guard isSealed else { return .partial(target.reference, held: heldBytes(of: target)) }
            let isWhole = target.manifest.files.allSatisfy {
                files[$0.path]?.count == Int($0.length)
            }
            return isWhole ? .whole(target.reference) : .damaged(target.reference)
        }

        private func heldBytes(of target: ManifestTarget) -> Int64 {
            Set(target.manifest.files.map(\.sha256)).reduce(0) {
                $0 + Int64(arrived[$1]?.count ?? 0)
            }
        }

        /// Bytes that were a file of this digest when the slot was sealed.
        func sealedBytes(of digest: SHA256Digest) -> [UInt8]? {
            guard isSealed, let file = target?.manifest.files.first(where: { $0.sha256 == digest })
            else { return nil }
            return files[file.path]
        }

        /// Makes way for another bundle, and keeps what it has in common with what is here.
        mutating func unseal(for next: ManifestTarget) {
            var kept: [SHA256Digest: [UInt8]] = [:]
            for file in next.manifest.files {
                kept[file.sha256] = arrived[file.sha256] ?? sealedBytes(of: file.sha256)
            }
            self = Folder(target: next, arrived: kept, leases: leases)
        }

        mutating func seal() {
            for file in target?.manifest.files ?? [] { files[file.path] = arrived[file.sha256] }
            arrived = [:]
            isSealed = true
        }
    }

    private struct State {
        var active: Slot?
        var folders = PerSlot(both: Folder())
        var failure: SlotError?
        /// Slots that `verify` cannot read.
        var unreadable: Set<Slot> = []
        var activationFailure: (error: SlotError, times: Int)?
        var activations: [Slot?] = []
        /// What a lease on a slot is.
        var held = LeaseState.held
    }

    private let state = Mutex(State())

    package init() {}

    package func opened() -> any SlotStoring { self }

    // MARK: What tests do and see

    /// Lets every further `stage` fail so; nil ends it.
    package func fail(_ failure: SlotError?) { state.withLock { $0.failure = failure } }

    /// Lets every further `activate` fail so; nil ends it.
    package func failActivations(_ failure: SlotError?) {
        state.withLock { $0.activationFailure = failure.map { ($0, .max) } }
    }

    /// Lets the next `activate` fail so, and no further one.
    package func failNextActivation(_ failure: SlotError) {
        state.withLock { $0.activationFailure = (failure, 1) }
    }

    /// Lets every further `verify` of a slot meet a disk that cannot read it, or ends that.
    package func makeUnreadable(_ slot: Slot, _ isUnreadable: Bool = true) {
        state.withLock {
            if isUnreadable { $0.unreadable.insert(slot) } else { $0.unreadable.remove(slot) }
        }
    }

    /// Takes the link away, behind the agent's back.
    package func loseLink() { state.withLock { $0.active = nil } }

    /// What `activate` was called with, in order, where it did not fail.
    package var activations: [Slot?] { state.withLock { $0.activations } }

    /// Changes one byte of a file of a sealed slot.
    package func rot(_ slot: Slot, _ file: String) {
        state.withLock { $0.folders[slot].files[MemoryBundle.path(file)]?[0] ^= 0xFF }
    }

    /// Takes a file away from a sealed slot.
    package func lose(_ slot: Slot, _ file: String) {
        state.withLock { $0.folders[slot].files[MemoryBundle.path(file)] = nil }
    }

    /// An application's hold on the active slot, as long as the object lives; nil where no whole bundle is active.
    package func lease() -> AnyObject? {
        state.withLock { state in
            guard let slot = state.active, state.folders[slot].contents.wholeBundle != nil else {
                return nil
            }
            state.folders[slot].leases += 1
            return Lease { [self] in self.state.withLock { $0.folders[slot].leases -= 1 } }
        }
    }

    /// Lets the deadline of every lease be over.
    package func passDeadlines() { state.withLock { $0.held = .overdue } }

    /// Ends what it stands for when it goes.
    private final class Lease: Sendable {
        private let end: @Sendable () -> Void

        init(end: @escaping @Sendable () -> Void) { self.end = end }

        deinit { end() }
    }
}

// MARK: The port

extension MemorySlots {
    package func survey() throws(SlotError) -> SlotSurvey {
        state.withLock { state in
            let folders = state.folders
            return SlotSurvey(
                active: state.active,
                contents: PerSlot(a: folders.a.contents, b: folders.b.contents),
                leases: PerSlot(
                    a: folders.a.leases > 0 ? state.held : .free,
                    b: folders.b.leases > 0 ? state.held : .free))
        }
    }

    package func manifest(in slot: Slot) throws(SlotError) -> ManifestTarget? {
        state.withLock { $0.folders[slot].target }
    }

    package func activate(_ slot: Slot?) throws(SlotError) {
        try state.withLock { (state) throws(SlotError) in
            if let (error, times) = state.activationFailure {
                state.activationFailure = times > 1 ? (error, times - 1) : nil
                throw error
            }
            if let slot, state.folders[slot].contents.wholeBundle == nil { throw .notWhole(slot) }
            state.active = slot
            state.activations.append(slot)
        }
    }

    package func discard(_ slot: Slot) throws(SlotError) {
        state.withLock { state in
            guard !state.folders[slot].isSealed else { return }
            state.folders[slot] = Folder(leases: state.folders[slot].leases)
        }
    }

    package func verify(
        _ slot: Slot, holds bundle: BundleReference, until stop: Interrupt
    ) throws(SlotError) {
        let (folder, isUnreadable) = state.withLock {
            ($0.folders[slot], $0.unreadable.contains(slot))
        }
        if isUnreadable {
            throw .system(operation: "read", path: "memory/\(slot)", errno: EIO)
        }
        guard folder.isSealed, let target = folder.target else { throw .notWhole(slot) }
        var isWhole = target.reference == bundle
        for file in target.manifest.files where isWhole {
            if stop.isSet { throw .interrupted }
            isWhole = folder.files[file.path].map { SHA256.digest(of: $0) } == file.sha256
        }
        state.withLock { $0.folders[slot].damage = isWhole ? nil : bundle }
        guard isWhole else { throw .notWhole(slot) }
    }

    package func stage(
        _ target: ManifestTarget, into slot: Slot, from sources: [any Fetching],
        atMost limit: Int64?, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary {
        guard let source = sources.first else { preconditionFailure("at least one source") }
        var summary = StagingSummary(fetchedBytes: 0, reusedBytes: 0)
        guard try begin(target, in: slot) else { return summary }
        let needed = needed(for: target, in: slot)
        if let limit, needed > limit { throw .overBudget(needed: needed, allowed: limit) }
        var seen: Set<SHA256Digest> = []
        for file in target.manifest.files where seen.insert(file.sha256).inserted {
            try bring(file, into: slot, from: source, until: stop, &summary)
        }
        state.withLock { $0.folders[slot].seal() }
        return summary
    }

    /// The bytes that must come.
    private func needed(for target: ManifestTarget, in slot: Slot) -> Int64 {
        let lengths = target.manifest.files.map { ($0.sha256, $0.length) }
        return state.withLock { state in
            Dictionary(lengths) { first, _ in first }.reduce(0) { sum, file in
                let there = state.folders[slot.other].sealedBytes(of: file.key)
                let held = there ?? state.folders[slot].arrived[file.key]
                return sum + file.value - Int64(held?.count ?? 0)
            }
        }
    }

    /// Unseals the slot; false where it holds the bundle already.
    private func begin(_ target: ManifestTarget, in slot: Slot) throws(SlotError) -> Bool {
        try state.withLock { (state) throws(SlotError) in
            if let failure = state.failure { throw failure }
            if state.folders[slot].contents == .whole(target.reference) { return false }
            guard state.active != slot else {
                throw .system(operation: "stage", path: "memory/\(slot)", errno: EBUSY)
            }
            guard state.folders[slot].leases == 0 else { throw .leased(slot, overdue: false) }
            state.folders[slot].unseal(for: target)
            return true
        }
    }

    /// Takes a file from where it is whole already, and otherwise what is missing of it from the source.
    private func bring(
        _ file: ManifestFile, into slot: Slot, from source: any Fetching, until stop: Interrupt,
        _ summary: inout StagingSummary
    ) throws(SlotError) {
        if stop.isSet { throw .interrupted }
        let (here, there) = state.withLock { state in
            (
                state.folders[slot].arrived[file.sha256],
                state.folders[slot.other].sealedBytes(of: file.sha256)
            )
        }
        for bytes in [here, there].compactMap({ $0 }) where SHA256.digest(of: bytes) == file.sha256
        {
            summary.reusedBytes += file.length
            return keep(bytes, of: file, in: slot)
        }
        var head = here ?? []
        if head.count >= file.length { head = [] }
        summary.reusedBytes += Int64(head.count)
        if try fetch(file, after: head, into: slot, from: source, until: stop, &summary) == nil {
            return
        }
        if let found = try fetch(file, after: [], into: slot, from: source, until: stop, &summary) {
            throw .wrongBytes(path: file.path, expected: file.sha256, found: found)
        }
    }

    /// Makes one request, and keeps what came of it; nil where that is the file, otherwise the digest that it has.
    private func fetch(
        _ file: ManifestFile, after head: [UInt8], into slot: Slot, from source: any Fetching,
        until stop: Interrupt, _ summary: inout StagingSummary
    ) throws(SlotError) -> SHA256Digest? {
        var bytes = head
        var failure: FetchError?
        do {
            try source.blob(file.sha256, range: Int64(head.count)..<file.length, until: stop) {
                bytes += unsafe $0.withUnsafeBytes { unsafe [UInt8]($0) }
                return true
            }
        } catch { failure = error }
        summary.fetchedBytes += Int64(bytes.count - head.count)
        keep(bytes, of: file, in: slot)
        if let failure {
            throw failure == .interrupted ? .interrupted : .fetch(failure, of: file.path)
        }
        let found = SHA256.digest(of: bytes)
        guard found != file.sha256 else { return nil }
        keep(nil, of: file, in: slot)
        return found
    }

    private func keep(_ bytes: [UInt8]?, of file: ManifestFile, in slot: Slot) {
        state.withLock { $0.folders[slot].arrived[file.sha256] = bytes }
    }
}
