package import Primitives
package import Rollouts

/// What a slot's folder holds, as a quick look tells: names and lengths, no hashing.
package enum SlotContents: Sendable, Hashable {
    case empty
    /// Staging began and has not ended; what is there may be resumed, and is so many bytes of the bundle.
    case partial(BundleReference, held: Int64)
    /// Sealed after every file met its digest and was durable.
    case whole(BundleReference)
    /// Sealed once, but a file is missing, or has another length, or did not meet its digest since.
    case damaged(BundleReference)
    /// The disk cannot read it: for a moment, or for good, which a verification finds out.
    case unreadable

    /// The bundle, where it is whole.
    package var wholeBundle: BundleReference? {
        guard case .whole(let bundle) = self else { return nil }
        return bundle
    }

    /// Bytes of a bundle on its way that are there.
    package var heldBytes: Int64 {
        guard case .partial(_, let bytes) = self else { return 0 }
        return bytes
    }
}

/// Whether an application holds a slot.
package enum LeaseState: String, Sendable, Hashable {
    case free
    case held
    /// Held beyond the deadline that came with the lease: the slot cannot be written, and a person should know.
    case overdue
}

/// What is on the disk, found by looking.
package struct SlotSurvey: Sendable, Hashable {
    /// What the `current` link names; nil where there is none or it names no slot.
    package var active: Slot?
    package var contents: PerSlot<SlotContents>
    package var leases: PerSlot<LeaseState>

    package init(
        active: Slot?, contents: PerSlot<SlotContents>,
        leases: PerSlot<LeaseState> = PerSlot(both: .free)
    ) {
        self.active = active
        self.contents = contents
        self.leases = leases
    }
}

/// What bringing a bundle into a slot took.
package struct StagingSummary: Sendable, Hashable {
    /// Bytes fetched from the registry in this call.
    package var fetchedBytes: Int64
    /// Bytes that were there already: in this slot from an interrupted call, or equal files of the other slot.
    package var reusedBytes: Int64

    package init(fetchedBytes: Int64, reusedBytes: Int64) {
        self.fetchedBytes = fetchedBytes
        self.reusedBytes = reusedBytes
    }
}

/// Why a slot could not be read, filled, checked or activated.
package enum SlotError: Error, Sendable, Hashable {
    /// The interrupt was set, or a fetch was interrupted.
    case interrupted
    /// The network side failed for a file of the bundle; the source's own word.
    case fetch(FetchError, of: TargetPath)
    /// Bytes that do not have the digest that the manifest names, after one more fetch of them.
    case wrongBytes(path: TargetPath, expected: SHA256Digest, found: SHA256Digest)
    /// Less room than the bundle needs (bytes), found before the first byte was written.
    case insufficientStorage(needed: Int64, free: Int64)
    /// More bytes must come than the link may carry for this attempt, found before the first one came.
    case overBudget(needed: Int64, allowed: Int64)
    /// An application holds the slot that would have to be written.
    case leased(Slot, overdue: Bool)
    /// The slot does not hold this bundle whole.
    case notWhole(Slot)
    /// The file system failed: the operation, the path and errno.
    case system(operation: String, path: String, errno: Int32)
}

extension SlotError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .interrupted: "interrupted"
        case .fetch(let error, of: let path):
            "file '\(path)': expected its bytes, got \(error.found)"
        case .wrongBytes(let path, let expected, let found):
            "file '\(path)': expected SHA-256 \(expected), got \(found)"
        case .insufficientStorage(let needed, let free):
            "disk: expected \(needed) bytes of room, got \(free)"
        case .overBudget(let needed, let allowed):
            "download: expected at most \(allowed) bytes on this link, got \(needed)"
        case .leased(let slot, false):
            "slot \(slot): expected no application on it, got one that holds it"
        case .leased(let slot, true):
            "slot \(slot): expected no application on it, got one that holds it beyond its deadline"
        case .notWhole(let slot):
            "slot \(slot): expected the bundle whole, got parts of it or other bytes"
        case .system(let operation, let path, let errno):
            "cannot \(operation) '\(path)': \(ErrorNumber(errno))"
        }
    }
}

/// The two slots and the `current` link: port of the agent, implemented by `SlotHost` and by memory in tests.
///
/// Every verb may be repeated after it failed or was cut off anywhere, and then completes. No verb writes
/// into the active slot or into a leased one. `stage` and `verify` run on the agent's worker thread while
/// `survey` and `activate` may run on its loop's, so an implementation is safe for that; the machine never
/// has `activate` and `stage` under way for the same slot.
package protocol SlotStoring: Sendable {
    /// Looks at both slots, the link and the leases. Reads names and lengths only; well under a millisecond
    /// for each file.
    func survey() throws(SlotError) -> SlotSurvey

    /// Brings a bundle whole and durable into `slot`, and seals it.
    ///
    /// Space is reserved before the first byte. A file that the other slot holds whole (by digest) is
    /// linked or cloned from there; what an earlier call left in this slot is checked chunk by chunk and
    /// kept. Chunks are checked as they arrive, and files once more as a whole. The sources (at least one) bring chunks at the
    /// same time, each on a thread of its own where they are several; the first failure of one ends the others, and is thrown.
    /// On return every byte and name is durable; a slot that already holds the bundle whole returns at once. More bytes
    /// that must come than `limit` (nil: any number) are `.overBudget`, before the first one is asked for.
    func stage(
        _ target: ManifestTarget, into slot: Slot, from sources: [any Fetching],
        atMost limit: Int64?, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary

    /// Removes what `stage` has left of a bundle on its way into `slot`; a sealed slot stays as it is.
    ///
    /// Never under way together with `stage` for the same slot.
    func discard(_ slot: Slot) throws(SlotError)

    /// Hashes every file of the slot against its manifest, and that manifest against `bundle`.
    ///
    /// A slot that fails is marked damaged, durably, and `.notWhole` is thrown. One that the disk cannot read is `.system`,
    /// and fails only when that has lasted for an hour of repeated calls.
    func verify(
        _ slot: Slot, holds bundle: BundleReference, until stop: Interrupt
    ) throws(SlotError)

    /// Makes `current` name `slot`, durably, by one atomic rename; nil removes the link.
    ///
    /// Returns at once where it names the slot already. Throws `.notWhole` unless the slot is sealed and
    /// each file has its length (bytes are hashed by `stage`, `verify` and the scheduled check, so that going
    /// back takes milliseconds).
    func activate(_ slot: Slot?) throws(SlotError)

    /// The manifest that a slot's folder holds, read strictly; nil where there is none.
    func manifest(in slot: Slot) throws(SlotError) -> ManifestTarget?
}

extension SlotStoring {
    /// Stages from one source, whatever number of bytes it takes.
    package func stage(
        _ target: ManifestTarget, into slot: Slot, from source: any Fetching, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary {
        try stage(target, into: slot, from: [source], atMost: nil, until: stop)
    }
}
