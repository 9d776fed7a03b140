import AgentCore
import CPosixShims
import Cryptography
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import Synchronization

/// What the agent and applications see of the slots without making, changing or removing anything.
protocol SlotReading: Sendable {
    /// The `slots` folder.
    var root: Directory { get }
    var manifests: ManifestCache { get }

    /// A lease file with a shared lock on it, or nil where somebody has it alone for now.
    func lockShared(_ slot: Slot) throws(FileError) -> OpenFile?
}

/// The parsed manifests of the slots, each good as long as its file's status is the same.
final class ManifestCache: Sendable {
    private let kept = Mutex(PerSlot<(status: FileStatus, target: ManifestTarget)?>(both: nil))

    func target(of slot: Slot, at status: FileStatus) -> ManifestTarget? {
        kept.withLock { $0[slot] }.flatMap { $0.status == status ? $0.target : nil }
    }

    func keep(_ target: ManifestTarget, of slot: Slot, at status: FileStatus) {
        kept.withLock { $0[slot] = (status, target) }
    }
}

extension SlotReading {
    /// Leases the active slot: locks it, then reads `current` again, and once more where it moved.
    ///
    /// What the slot holds is read under the lock, since nobody writes there any more.
    ///
    /// - Parameter tries: how often to try, with a pause of a millisecond where somebody has the lease file alone: the
    ///   agent has it for a moment, when it looks who leases the slot.
    /// - Returns: nil where no slot is active, or what is active is damaged: the application is then on its own.
    /// - Throws: `.system`; with `EBUSY` where somebody has the lease file alone all the time.
    func lease(tries: Int) throws(SlotError) -> SlotLease? {
        try onDisk { () throws(FileError) in
            for _ in 0..<tries {
                guard let slot = try currentSlot() else { return nil }
                guard let file = try lockShared(slot) else {
                    SystemClock.pause(nanoseconds: 1_000_000)
                    continue
                }
                guard try currentSlot() == slot else { continue }
                let contents = try readContents(slot)
                guard let bundle = contents.wholeBundle else { return nil }
                let path = path(of: SlotPaths(slot).folder)
                return SlotLease(slot: slot, bundle: bundle, path: path, file: file)
            }
            throw .busy(path: root.path)
        }
    }

    /// A lease file with a shared lock on it, or nil where somebody has it alone.
    func tryShared(_ slot: Slot) throws(FileError) -> OpenFile? {
        let file = try root.open(SlotPaths(slot).lease, .reading)
        let answer = cposix_try_lock(file.descriptor, false)
        if answer == -cposix_would_block { return nil }
        guard answer >= 0 else { throw .system(.lock, path: file.path, errno: -answer) }
        return file
    }

    /// The absolute path of a name below `slots`, for other processes.
    func path(of name: TargetPath) -> String {
        let resolved = unsafe realpath(root.path, nil)
        defer { unsafe free(resolved) }
        let base = unsafe resolved.map { unsafe String(cString: $0) } ?? root.path
        return "\(base)/\(name)"
    }

    // MARK: Contents

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
        do { return try readContents(slot) } catch {
            if error.isReadError { return .unreadable }
            throw error
        }
    }

    /// As `contents`, but what the disk cannot read is thrown.
    func readContents(_ slot: Slot) throws(FileError) -> SlotContents {
        let paths = SlotPaths(slot)
        if let marked = try damageMark(slot) { return .damaged(marked) }
        guard let sealed = try sealedManifest(in: slot, throwingReadErrors: true) else {
            guard let coming = try readManifest(paths.stagedManifest) else { return .empty }
            return .partial(coming.reference, held: try heldBytes(slot, of: coming.manifest))
        }
        return try hasItsLengths(slot, sealed.manifest)
            ? .whole(sealed.reference) : .damaged(sealed.reference)
    }

    /// Bytes of a bundle on its way that are in the staging folder: whole files, and what has been written of the others.
    private func heldBytes(_ slot: Slot, of manifest: Manifest) throws(FileError) -> Int64 {
        do {
            let folder = try root.directory(SlotPaths(slot).staging)
            var bytes: Int64 = 0
            for digest in Set(manifest.files.map(\.sha256)) {
                if let whole = try folder.status(SlotPaths.whole(digest)) {
                    bytes += whole.size
                } else if try folder.status(SlotPaths.part(digest)) != nil {
                    bytes += try folder.open(SlotPaths.part(digest), .reading).writtenBytes()
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

    // MARK: Manifests

    /// The manifest that seals the slot; nil where the slot is not sealed or the manifest cannot be read.
    func sealedManifest(
        in slot: Slot, throwingReadErrors throwsReadErrors: Bool = false
    ) throws(FileError) -> ManifestTarget? {
        let path = SlotPaths(slot).seal
        guard let status = try root.status(path), status.kind == .file else { return nil }
        if let cached = manifests.target(of: slot, at: status) { return cached }
        let read = try readManifest(path, throwingReadErrors: throwsReadErrors)
        guard let target = read else { return nil }
        manifests.keep(target, of: slot, at: status)
        return target
    }

    /// Reads a manifest strictly; nil where there is none, or bytes that are none.
    ///
    /// - Parameters:
    ///   - path: below `slots`.
    ///   - throwsReadErrors: whether what the disk cannot read is thrown, and not taken for none.
    /// - Returns: nil also for a file that is cut or too long.
    /// - Throws: any other trouble of the file system.
    func readManifest(
        _ path: TargetPath, throwingReadErrors throwsReadErrors: Bool = false
    ) throws(FileError) -> ManifestTarget? {
        do {
            guard let bytes = try root.readIfPresent(path, limit: Manifest.byteLimit),
                let manifest = try? Manifest(parsing: bytes)
            else { return nil }
            return ManifestTarget(
                manifest: manifest, bytes: bytes, sha256: SHA256.digest(of: bytes))
        } catch {
            if error.meansRot || error.isReadError && !throwsReadErrors { return nil }
            throw error
        }
    }

    /// Hashes everything, past the cache of manifests; what the disk cannot read is thrown.
    func holds(
        _ bundle: BundleReference, in slot: Slot, until stop: Interrupt
    ) throws(SlotError) -> Bool {
        let folder: Directory
        let manifest: Manifest
        do throws(FileError) {
            let read = try readManifest(SlotPaths(slot).seal, throwingReadErrors: true)
            guard let target = read, target.reference == bundle else { return false }
            manifest = target.manifest
            folder = try root.directory(SlotPaths(slot).folder)
        } catch {
            if error.meansRot { return false }
            throw SlotError(error)
        }
        var hasher = FileHasher(until: stop, throwingReadErrors: true)
        for file in manifest.files {
            guard try hasher.file(folder, file.path, meets: file.sha256, length: file.length)
            else { return false }
        }
        return true
    }
}
