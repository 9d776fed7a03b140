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
}

extension FileStatus {
    /// Disk that removing this name would free.
    fileprivate var soleBytes: Int64 { kind == .file && links == 1 ? allocatedBytes : 0 }
}
