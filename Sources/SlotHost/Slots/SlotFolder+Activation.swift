package import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
package import Rollouts
import Synchronization

extension SlotFolder {
    package func activate(_ slot: Slot?) throws(SlotError) {
        guard let slot else {
            try onDisk { () throws(FileError) in _ = try root.removeFile(SlotPaths.current) }
            return
        }
        let isWhole = try onDisk { () throws(FileError) in
            try readContents(slot).wholeBundle != nil
        }
        guard isWhole else { throw .notWhole(slot) }
        try onDisk { () throws(FileError) in
            // What was staged is durable. The link may have been renamed by a process that was killed before
            // it could sync the folder, so that is done once more.
            if try currentSlot() == slot { return try root.sync() }
            try root.replaceLink(SlotPaths.current, to: SlotPaths(slot).folder)
        }
    }

    package func verify(
        _ slot: Slot, holds bundle: BundleReference, until stop: Interrupt
    ) throws(SlotError) {
        let paths = SlotPaths(slot)
        let isWhole = try patiently(slot) { () throws(SlotError) in
            let isSealed = try onDisk { () throws(FileError) in try root.status(paths.seal) != nil }
            guard isSealed else { throw .notWhole(slot) }
            return try holds(bundle, in: slot, until: stop)
        }
        try onDisk { () throws(FileError) in
            if isWhole {
                try root.removeFile(paths.damaged)
            } else {
                try root.replace(paths.damaged, with: bundle.json.bytes)
            }
        }
        guard isWhole else { throw .notWhole(slot) }
    }

    /// Seconds for which a disk may fail to read a slot before that is damage: longer than a reset, a loose plug, or a
    /// card that is being taken out and put back.
    package static let readPatience: Int64 = 3_600

    /// Looks at a slot; one that the disk has failed to read for so long is not whole.
    private func patiently(
        _ slot: Slot, _ isWhole: () throws(SlotError) -> Bool
    ) throws(SlotError) -> Bool {
        do {
            let answer = try isWhole()
            state.withLock { $0.unreadable[slot] = nil }
            return answer
        } catch {
            guard error.isReadError else { throw error }
            let now = clock()
            let since = state.withLock { state in
                let since = min(state.unreadable[slot] ?? now, now)
                state.unreadable[slot] = since
                return since
            }
            guard now - since >= Self.readPatience else { throw error }
            return false
        }
    }
}
