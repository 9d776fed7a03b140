package import AgentCore
import ModelBundle
import PosixFiles
import Primitives
package import Rollouts

/// What one slot holds, hashed.
package struct SlotExamination: Sendable, Hashable {
    package let slot: Slot
    package let bundle: BundleReference
    /// Bytes of all its files.
    package let length: Int64
    /// Whether every file has its digest.
    package let isWhole: Bool
}

extension SlotReader {
    /// Hashes what is sealed, and changes nothing: what is found damaged is not marked so.
    package func examine(until stop: Interrupt) throws(SlotError) -> [SlotExamination] {
        var found: [SlotExamination] = []
        for slot in Slot.allCases {
            let sealed = try onDisk { () throws(FileError) in try sealedManifest(in: slot) }
            guard let sealed else { continue }
            found.append(
                SlotExamination(
                    slot: slot, bundle: sealed.reference, length: sealed.manifest.totalLength,
                    isWhole: try holds(sealed.reference, in: slot, until: stop)))
        }
        return found
    }

    /// The active slot; nil where none is.
    package func active() throws(SlotError) -> Slot? {
        try onDisk { () throws(FileError) in try currentSlot() }
    }

    /// What is free on the disk of the slots, in bytes.
    package func freeBytes() throws(SlotError) -> Int64 {
        try onDisk { () throws(FileError) in try root.freeBytes() }
    }
}
