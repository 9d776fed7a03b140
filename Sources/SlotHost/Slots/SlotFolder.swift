package import AgentCore
import Glibc
import ModelBundle
package import PosixFiles
package import Primitives
import Rollouts
import Synchronization

/// The two slots, the `current` link and the leases, in one folder of a POSIX file system.
///
/// For the one agent that holds the state directory. The folder is `SlotPaths`; how it gets from one state to the
/// next, and what a crash leaves, is in docs/formats/slot-layout.md.
package final class SlotFolder: SlotStoring, SlotReading {
    struct State {
        /// Slots that this process writes now, and so locks itself.
        var staging: Set<Slot> = []
        /// When a lease was first seen on a slot that is not active, where no `current` link tells it.
        var leftBehind = PerSlot<UTCTime?>(both: nil)
        /// Since when the disk has failed to read a slot, as verifications have found.
        var unreadable = PerSlot<UTCTime?>(both: nil)
    }

    let root: Directory
    /// Seconds that an application has to let go of a slot that is no longer active.
    package let leaseDeadline: Int64
    let clock: @Sendable () -> UTCTime
    let state = Mutex(State())
    let manifests = ManifestCache()

    /// Takes the folder over, and removes what a crash has left there.
    ///
    /// - Parameters:
    ///   - root: the `slots` folder, which nobody else writes.
    ///   - leaseDeadline: in seconds, from the moment the slot stops being active.
    ///   - clock: what lease deadlines are measured with.
    /// - Throws: `.system`.
    package init(
        _ root: Directory, leaseDeadline: Int64 = 300,
        clock: @escaping @Sendable () -> UTCTime = { SystemClock.now() }
    ) throws(SlotError) {
        self.root = root
        self.leaseDeadline = leaseDeadline
        self.clock = clock
        try onDisk { () throws(FileError) in
            // What cannot be removed now keeps nobody from the model: the next start, staging or smoke test meets it again.
            _ = try? root.removeTemporaries()
            _ = try? root.removeTree(SlotPaths.smoke)
            for slot in Slot.allCases {
                _ = try root.open(SlotPaths(slot).lease, .makingIfMissing(.shared))
                _ = try? removeFinishedStaging(of: slot)
            }
            // Names that a power cut takes are made, or removed, at the next start: no reason to refuse this one.
            _ = try? root.sync()
        }
    }

    /// The absolute folder of a slot's bundle, for other processes.
    package func path(of slot: Slot) -> String { path(of: SlotPaths(slot).folder) }

    /// Removes a staging folder whose manifest has moved on to seal the slot.
    func removeFinishedStaging(of slot: Slot) throws(FileError) {
        let paths = SlotPaths(slot)
        guard try root.status(paths.staging) != nil, try root.status(paths.seal) != nil,
            try root.status(paths.stagedManifest) == nil
        else { return }
        try root.removeTree(paths.staging)
    }

    // MARK: Manifests

    package func manifest(in slot: Slot) throws(SlotError) -> ManifestTarget? {
        try onDisk { () throws(FileError) in
            if let sealed = try sealedManifest(in: slot) { return sealed }
            return try readManifest(SlotPaths(slot).stagedManifest)
        }
    }
}
