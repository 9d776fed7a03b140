package import AgentCore
import CPosixShims
import Glibc
import PosixFiles
import Primitives
package import Rollouts
import Synchronization

/// An application's hold on the active slot: a shared lock that the holder of the descriptor keeps.
///
/// The lock belongs to the open file, not to a process: a descriptor that was sent to another process (SCM_RIGHTS) keeps
/// it after this object is gone, and after the agent is. Nothing is written into that slot meanwhile.
package final class SlotLease: Sendable {
    package let slot: Slot
    package let bundle: BundleReference
    /// The absolute folder of the bundle's files.
    package let path: String
    private let file: OpenFile

    init(slot: Slot, bundle: BundleReference, path: String, file: OpenFile) {
        self.slot = slot
        self.bundle = bundle
        self.path = path
        self.file = file
    }

    /// To be sent to the application; valid while this object lives.
    package var descriptor: Int32 { file.descriptor }
}

extension SlotFolder {
    /// How often a lease is tried where somebody else has the lease file alone: a tenth of a second in all.
    private static let leaseTries = 100

    /// Leases the active slot.
    ///
    /// - Returns: nil where no slot is active, or what is active is damaged: the application is then on its own.
    package func lease() throws(SlotError) -> SlotLease? { try lease(tries: Self.leaseTries) }

    /// Waits for this process's own looks at the lease file, which take it alone.
    func lockShared(_ slot: Slot) throws(FileError) -> OpenFile? {
        try state.withLock { (_) throws(FileError) -> OpenFile? in try tryShared(slot) }
    }

    // MARK: The agent's side

    /// Does work that writes into a slot, under the exclusive lock of its lease file.
    ///
    /// - Throws: `.leased` where an application holds the slot; `.system` with `EBUSY` for the active slot.
    func whileHolding<Value: Sendable>(
        _ slot: Slot, _ work: () throws(SlotError) -> Value
    ) throws(SlotError) -> Value {
        let active = try onDisk { () throws(FileError) in try currentSlot() }
        guard active != slot else {
            throw .system(operation: "stage", path: root.path + "/\(slot)", errno: EBUSY)
        }
        let free = try onDisk { () throws(FileError) -> FileLock? in
            try state.withLock { (state) throws(FileError) -> FileLock? in
                let lock = try root.tryLock(SlotPaths(slot).lease, .exclusive)
                if lock != nil { state.staging.insert(slot) }
                return lock
            }
        }
        guard let lock = consume free else {
            let lease = try onDisk { () throws(FileError) in
                try leaseState(slot, active: active)
            }
            throw .leased(slot, overdue: lease == .overdue)
        }
        let result = Result { () throws(SlotError) in try work() }
        // Unlocked first: a survey in between would take our own lock for an application's.
        _ = consume lock
        state.withLock { _ = $0.staging.remove(slot) }
        return try result.get()
    }

    /// Slots that somebody still leases though they are not active, with the seconds left to let go: 0 once overdue.
    package func leftBehind() throws(SlotError) -> [(slot: Slot, seconds: Int64)] {
        try onDisk { () throws(FileError) in
            let active = try currentSlot()
            var left: [(slot: Slot, seconds: Int64)] = []
            for slot in Slot.allCases where slot != active {
                guard let age = try leaseAge(slot, active: active) else { continue }
                left.append((slot, max(0, leaseDeadline - age)))
            }
            return left
        }
    }

    /// Who holds the slot.
    func leaseState(_ slot: Slot, active: Slot?) throws(FileError) -> LeaseState {
        guard let age = try leaseAge(slot, active: active) else { return .free }
        return age > leaseDeadline ? .overdue : .held
    }

    /// For how many seconds somebody has held a slot that is not active, 0 for the active one; nil where nobody does.
    ///
    /// A lock of this process's own, for writing, counts as nobody.
    private func leaseAge(_ slot: Slot, active: Slot?) throws(FileError) -> Int64? {
        let now = clock()
        let since = try root.status(SlotPaths.current).map {
            UTCTime(clamping: $0.modifiedNanoseconds / 1_000_000_000)
        }
        return try state.withLock { (state) throws(FileError) -> Int64? in
            guard !state.staging.contains(slot), try isLocked(slot) else {
                state.leftBehind[slot] = nil
                return nil
            }
            guard slot != active else {
                state.leftBehind[slot] = nil
                return 0
            }
            let start = since ?? state.leftBehind[slot] ?? now
            state.leftBehind[slot] = start
            return now - start
        }
    }

    /// Whether somebody shares the lock, found by taking it alone for a moment.
    private func isLocked(_ slot: Slot) throws(FileError) -> Bool {
        try root.tryLock(SlotPaths(slot).lease, .exclusive) == nil
    }
}
