package import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives
package import Rollouts

extension SlotFolder {
    package func activate(_ slot: Slot?) throws(SlotError) {
        guard let slot else {
            try onDisk { () throws(FileError) in _ = try root.removeFile(SlotPaths.current) }
            return
        }
        let isWhole = try onDisk { () throws(FileError) in
            try contents(slot).wholeBundle != nil
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
        let isSealed = try onDisk { () throws(FileError) in try root.status(paths.seal) != nil }
        guard isSealed else { throw .notWhole(slot) }
        let isWhole = try holds(bundle, in: slot, until: stop)
        try onDisk { () throws(FileError) in
            if isWhole {
                try root.removeFile(paths.damaged)
            } else {
                try root.replace(paths.damaged, with: bundle.json.bytes)
            }
        }
        guard isWhole else { throw .notWhole(slot) }
    }
}
