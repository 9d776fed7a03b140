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
    /// Seconds that the application has to let go of the slot once it is no longer active.
    package let deadline: Int64
    private let file: OpenFile

    init(slot: Slot, bundle: BundleReference, path: String, deadline: Int64, file: OpenFile) {
        self.slot = slot
        self.bundle = bundle
        self.path = path
        self.deadline = deadline
        self.file = file
    }

    /// To be sent to the application; valid while this object lives.
    package var descriptor: Int32 { file.descriptor }
}

extension SlotFolder {
    /// Leases the active slot: locks it, then reads `current` again, and once more where it moved.
    ///
    /// - Returns: nil where no slot is active, or what is active is damaged: the application is then on its own.
    package func lease() throws(SlotError) -> SlotLease? {
        try onDisk { () throws(FileError) in
            while let slot = try currentSlot() {
                guard let bundle = try contents(slot).wholeBundle else { return nil }
                guard let file = try lockShared(slot) else { continue }
                guard try currentSlot() == slot else { continue }
                return SlotLease(
                    slot: slot, bundle: bundle, path: path(of: slot), deadline: leaseDeadline,
                    file: file)
            }
            return nil
        }
    }

    /// A lease file with a shared lock on it, or nil where the agent is about to write the slot.
    private func lockShared(_ slot: Slot) throws(FileError) -> OpenFile? {
        try state.withLock { (_) throws(FileError) -> OpenFile? in
            let file = try root.open(SlotPaths(slot).lease, .reading)
            let answer = cposix_try_lock(file.descriptor, false)
            if answer == -cposix_would_block { return nil }
            guard answer >= 0 else { throw .system(.lock, path: file.path, errno: -answer) }
            return file
        }
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

    /// Who holds the slot; a lock of this process's own, for writing, counts as nobody.
    func leaseState(_ slot: Slot, active: Slot?) throws(FileError) -> LeaseState {
        let now = clock()
        let since = try root.status(SlotPaths.current).map {
            UTCTime(clamping: $0.modifiedNanoseconds / 1_000_000_000)
        }
        return try state.withLock { (state) throws(FileError) -> LeaseState in
            guard !state.staging.contains(slot), try isLocked(slot) else {
                state.leftBehind[slot] = nil
                return .free
            }
            guard slot != active else {
                state.leftBehind[slot] = nil
                return .held
            }
            let start = since ?? state.leftBehind[slot] ?? now
            state.leftBehind[slot] = start
            return now - start > leaseDeadline ? .overdue : .held
        }
    }

    /// Whether somebody shares the lock, found by taking it alone for a moment.
    private func isLocked(_ slot: Slot) throws(FileError) -> Bool {
        try root.tryLock(SlotPaths(slot).lease, .exclusive) == nil
    }
}
