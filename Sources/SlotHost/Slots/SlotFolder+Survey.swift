package import AgentCore
import ModelBundle
import PosixFiles
import Primitives
import Rollouts

extension SlotFolder {
    package func survey() throws(SlotError) -> SlotSurvey {
        try onDisk { () throws(FileError) in
            let active = try currentSlot()
            return SlotSurvey(
                active: active, contents: PerSlot(a: try contents(.a), b: try contents(.b)),
                leases: PerSlot(
                    a: try leaseState(.a, active: active), b: try leaseState(.b, active: active)))
        }
    }

    /// Bytes that a new bundle could have: what is free, and what the slot that is not active would give back.
    ///
    /// Files that also lie in the active slot give nothing back.
    package func availableBytes() throws(SlotError) -> Int64 {
        try onDisk { () throws(FileError) in
            let free = try root.freeBytes()
            guard let active = try currentSlot() else { return free }
            let idle = active.other
            var bytes: Int64 = 0
            if let target = try sealedManifest(in: idle) {
                let folder = try root.directory(SlotPaths(idle).folder)
                for file in target.manifest.files {
                    bytes += try folder.status(file.path)?.soleBytes ?? 0
                }
            }
            if try root.status(SlotPaths(idle).staging) != nil {
                let folder = try root.directory(SlotPaths(idle).staging)
                for entry in try folder.list() where entry.kind == .file {
                    guard let path = TargetPath(entry.name) else { continue }
                    bytes += try folder.status(path)?.soleBytes ?? 0
                }
            }
            return free + bytes
        }
    }

    /// What the `current` link names; nil where it is missing, or is no link to a slot.
    func currentSlot() throws(FileError) -> Slot? {
        do {
            return try root.readLink(SlotPaths.current).flatMap { Slot(rawValue: $0.description) }
        } catch {
            switch error {
            case .wrongKind, .linkEscapes: return nil
            default: throw error
            }
        }
    }

    func contents(_ slot: Slot) throws(FileError) -> SlotContents {
        let paths = SlotPaths(slot)
        if let marked = try damageMark(slot) { return .damaged(marked) }
        guard let sealed = try sealedManifest(in: slot) else {
            guard let coming = try readManifest(paths.stagedManifest) else { return .empty }
            return .partial(coming.reference, held: try heldBytes(slot, of: coming.manifest))
        }
        return try hasItsLengths(slot, sealed.manifest)
            ? .whole(sealed.reference) : .damaged(sealed.reference)
    }

    /// Bytes of a bundle on its way that are in the staging folder, by the lengths of its files.
    private func heldBytes(_ slot: Slot, of manifest: Manifest) throws(FileError) -> Int64 {
        do {
            let folder = try root.directory(SlotPaths(slot).staging)
            var bytes: Int64 = 0
            for digest in Set(manifest.files.map(\.sha256)) {
                if let whole = try folder.status(SlotPaths.whole(digest)) {
                    bytes += whole.size
                } else if let part = try folder.status(SlotPaths.part(digest)) {
                    bytes += part.size
                }
            }
            return bytes
        } catch {
            // Sealed or discarded since its manifest was read.
            if error.isNotFound { return 0 }
            throw error
        }
    }

    /// Whether every file is a regular file of its length.
    func hasItsLengths(_ slot: Slot, _ manifest: Manifest) throws(FileError) -> Bool {
        do {
            let folder = try root.directory(SlotPaths(slot).folder)
            for file in manifest.files {
                guard let status = try folder.status(file.path), status.kind == .file,
                    status.size == file.length
                else { return false }
            }
            return true
        } catch {
            if error.meansRot { return false }
            throw error
        }
    }

    /// The bundle that did not verify in this slot, since it was sealed.
    func damageMark(_ slot: Slot) throws(FileError) -> BundleReference? {
        guard let bytes = try root.readIfPresent(SlotPaths(slot).damaged, limit: 4_096),
            let json = try? JSON(parsing: bytes, limit: 4_096)
        else { return nil }
        return try? BundleReference(reading: json, at: "")
    }
}

extension FileStatus {
    /// Disk that removing this name would free.
    fileprivate var soleBytes: Int64 { kind == .file && links == 1 ? allocatedBytes : 0 }
}
