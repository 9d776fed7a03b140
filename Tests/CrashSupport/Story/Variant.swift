import AgentCore
import FieldfareAgent
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import Synchronization

/// A device that does one thing wrong; the harness has to notice each.
package enum Variant: String, CaseIterable, Sendable {
    /// Overwrites the files of the active slot, one after the other, instead of staging beside it.
    case copyInPlace = "copy in place"
    /// Forgets the sync of the folder after the new link.
    case noFolderSync = "no folder sync after the link"
    /// Forgets the syncs of staged files.
    case noFileSync = "no sync of files before the seal"
    /// Writes each state of the journal behind its effects, when three more have come.
    case journalAfterEffect = "journal after effect"
    /// SQLite whose log is never synced.
    case noLogSync = "SQLite without its sync"
    /// Removes the link, and then makes the new one.
    case linkRemoved = "link removed, then made"
    /// Puts the manifest into the slot before the files.
    case sealFirst = "seal first"

    /// The slots of a device of this kind.
    func slots(_ parts: DiskParts) -> (any SlotStoring)? {
        switch self {
        case .copyInPlace, .linkRemoved, .sealFirst: BadSlots(base: parts.slots, parts, kind: self)
        case .noFolderSync, .noFileSync, .journalAfterEffect, .noLogSync: nil
        }
    }

    /// What forgets some calls of a device of this kind, and hands the others on.
    func observer(over base: any SyscallObserving) -> any SyscallObserving {
        switch self {
        case .noFolderSync, .noFileSync, .noLogSync: Forgetting(base, kind: self)
        case .copyInPlace, .linkRemoved, .sealFirst, .journalAfterEffect: base
        }
    }
}

/// A disk that forgets syncs.
private final class Forgetting: SyscallObserving, RotHearing {
    private let base: any SyscallObserving
    private let kind: Variant
    private let hasLinked = Mutex(false)

    init(_ base: any SyscallObserving, kind: Variant) {
        self.base = base
        self.kind = kind
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        call.operation == .sync && isForgotten(call.path) ? .pretend : base.verdict(on: call)
    }

    private func isForgotten(_ path: String) -> Bool {
        switch kind {
        case .noFolderSync:
            guard path.hasSuffix("/slots") else { return false }
            return hasLinked.withLock { hasLinked in
                defer { hasLinked = false }
                return hasLinked
            }
        case .noFileSync:
            let name = path.split(separator: "/").last ?? ""
            return path.contains(".staging/") && name.prefix(64).allSatisfy(\.isHexDigit)
        case .noLogSync: return path.hasSuffix("-wal")
        case .copyInPlace, .linkRemoved, .sealFirst, .journalAfterEffect: return false
        }
    }

    func made(_ call: Syscall, _ answer: Int64) {
        if call.operation == .rename, call.path.hasSuffix("/current") {
            hasLinked.withLock { $0 = true }
        }
        base.made(call, answer)
    }

    func rotted(_ path: String, at offset: Int64, _ byte: UInt8) {
        (base as? any RotHearing)?.rotted(path, at: offset, byte)
    }
}

/// Slots that are written, sealed or switched as they must not be.
private struct BadSlots: SlotStoring {
    let base: SlotFolder
    let root: Directory
    let kind: Variant

    init?(base: SlotFolder, _ parts: DiskParts, kind: Variant) {
        self.base = base
        self.kind = kind
        guard let root = try? parts.state.folder("slots", mode: .shared) else { return nil }
        self.root = root
    }

    func survey() throws(SlotError) -> SlotSurvey { try base.survey() }
    func discard(_ slot: Slot) throws(SlotError) { try base.discard(slot) }
    func manifest(in slot: Slot) throws(SlotError) -> ManifestTarget? {
        try base.manifest(in: slot)
    }
    func verify(
        _ slot: Slot, holds bundle: BundleReference, until stop: Interrupt
    ) throws(SlotError) {
        try base.verify(slot, holds: bundle, until: stop)
    }

    func activate(_ slot: Slot?) throws(SlotError) {
        if kind == .linkRemoved, try base.survey().active != slot { try base.activate(nil) }
        try base.activate(slot)
    }

    func stage(
        _ target: ManifestTarget, into slot: Slot, from sources: [any Fetching],
        atMost limit: Int64?, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary {
        let source = sources[0]
        let active = try base.survey().active
        switch kind {
        case .copyInPlace:
            guard let active else { break }
            try write(target, into: active, from: source, until: stop, sealing: .last)
        case .sealFirst:
            guard try base.survey().contents[slot] != .whole(target.reference) else { break }
            try write(target, into: slot, from: source, until: stop, sealing: .first)
        default: break
        }
        return try base.stage(
            target, into: slot, from: sources, atMost: limit, until: stop)
    }

    private enum Sealing { case first, last }

    /// Writes a bundle's files to their places, each of them durably.
    private func write(
        _ target: ManifestTarget, into slot: Slot, from source: any Fetching,
        until stop: Interrupt, sealing: Sealing
    ) throws(SlotError) {
        do {
            let folder = try root.makeFolders(Self.name("\(slot)"))
            let manifest = Self.name("manifest.json")
            if sealing == .first {
                try folder.replace(manifest, with: target.bytes, mode: .readOnly)
            }
            for file in target.manifest.files {
                var bytes: [UInt8] = []
                try source.blob(file.sha256, range: 0..<file.length, until: stop) { span in
                    unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
                    return true
                }
                let parts = file.path.parts.dropLast()
                if !parts.isEmpty {
                    try folder.makeFolders(Self.name(parts.joined(separator: "/")))
                }
                try put(bytes, at: file.path, in: folder, isDurable: sealing == .last)
            }
            if sealing == .last {
                try folder.replace(manifest, with: target.bytes, mode: .readOnly)
            }
        } catch let error as SlotError {
            throw error
        } catch { throw .system(operation: "write", path: "\(error)", errno: 5) }
    }

    private func put(
        _ bytes: [UInt8], at path: TargetPath, in folder: Directory, isDurable: Bool
    ) throws {
        if isDurable { return try folder.replace(path, with: bytes, mode: .readOnly) }
        _ = try folder.removeFile(path)
        try folder.open(path, .makingNew(.readOnly)).write(bytes, at: 0)
    }

    private static func name(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else { preconditionFailure("a name of ours: \(text)") }
        return path
    }
}
