package import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// One bundle's way into a slot; any step may be the last one that a process lives to do, and the next call goes on.
///
///     unseal   the slot is no bundle any more
///     gather   files of the old bundle that the new one also has are kept by digest, the others removed
///     reuse    what is whole here or in the other slot is hashed, and linked
///     reserve  disk for all that is missing
///     plan     which chunks other files have, and which must come; refused beyond the limit
///     fetch    chunk by chunk, from all sources at once, and each file as a whole behind its chunks
///     place    every file gets its path in the slot
///     seal     the manifest gets its place, by one rename
struct Staging {
    /// Left free for names and for others' small files.
    static let spareBytes: Int64 = 1 << 20

    private let slots: SlotFolder
    private let slot: Slot
    private let target: ManifestTarget
    private let sources: [any Fetching]
    private let limit: Int64?
    private let stop: Interrupt
    private let folder: Directory
    private var donors = DonorChunks()
    private var summary = StagingSummary(fetchedBytes: 0, reusedBytes: 0)

    init(
        _ target: ManifestTarget, into slot: Slot, of slots: SlotFolder,
        from sources: [any Fetching], atMost limit: Int64?, until stop: Interrupt
    ) throws(SlotError) {
        self.slots = slots
        self.slot = slot
        self.target = target
        self.sources = sources
        self.limit = limit
        self.stop = stop
        folder = try onDisk { () throws(FileError) in
            try slots.root.makeFolders(SlotPaths(slot).staging, mode: .ownerOnly)
        }
    }

    mutating func run() throws(SlotError) -> StagingSummary {
        try onDisk { () throws(FileError) in
            try unseal()
            try gather()
            try prune()
        }
        let missing = try reuse()
        try reserve(missing)
        try fetch(try plan(missing))
        try onDisk { () throws(FileError) in
            try place()
            try seal()
        }
        return summary
    }

    private var root: Directory { slots.root }
    private var paths: SlotPaths { SlotPaths(slot) }

    // MARK: Making room

    private func unseal() throws(FileError) {
        try folder.removeTemporaries()
        if try folder.readIfPresent(SlotPaths.manifest, limit: Manifest.byteLimit) != target.bytes {
            try folder.replace(SlotPaths.manifest, with: target.bytes, mode: .readOnly)
        }
        if try root.status(paths.seal) != nil {
            try root.rename(paths.seal, to: paths.unsealed)
        }
        try root.removeFile(paths.damaged)
    }

    private func gather() throws(FileError) {
        guard try root.status(paths.folder) != nil else { return try dropOldManifest() }
        if let old = try slots.readManifest(paths.unsealed) {
            let slotFolder = try root.directory(paths.folder)
            let wanted = Set(target.manifest.files.map(\.sha256))
            for file in old.manifest.files where wanted.contains(file.sha256) {
                do {
                    try folder.place(
                        SlotPaths.whole(file.sha256), from: slotFolder, file.path, by: [.hardLink])
                } catch {
                    // Linked already, or lost: then it is fetched.
                    if case .exists = error { continue }
                    guard error.meansRot || error.isReadError else { throw error }
                }
            }
        }
        try root.removeTree(paths.folder)
        try dropOldManifest()
    }

    private func dropOldManifest() throws(FileError) { try root.removeFile(paths.unsealed) }

    /// Removes what an earlier call left for another bundle.
    private func prune() throws(FileError) {
        var kept: Set<TargetPath> = [SlotPaths.manifest]
        for file in target.manifest.files {
            kept.formUnion([
                SlotPaths.whole(file.sha256), SlotPaths.part(file.sha256),
                SlotPaths.donor(file.sha256),
            ])
        }
        for entry in try folder.list() {
            guard let path = TargetPath(entry.name), !kept.contains(path) else { continue }
            try folder.removeTree(path)
        }
    }

    // MARK: What is there

    /// The files that must be fetched, each digest once; the others are whole in the staging folder afterwards.
    private mutating func reuse() throws(SlotError) -> [ManifestFile] {
        let other = try onDisk { () throws(FileError) in try slots.sealedManifest(in: slot.other) }
        var lengths: [SHA256Digest: Int64] = [:]
        var elsewhere: [SHA256Digest: TargetPath] = [:]
        var otherFolder: Directory?
        if let other {
            let home = try onDisk { () throws(FileError) in
                try root.directory(SlotPaths(slot.other).folder)
            }
            otherFolder = home
            for file in other.manifest.files {
                elsewhere[file.sha256] = file.path
                donors.add(file, in: home, at: file.path)
            }
        }
        var missing: [ManifestFile] = []
        for file in target.manifest.files {
            if let length = lengths.updateValue(file.length, forKey: file.sha256) {
                // One digest cannot be of two lengths.
                guard length == file.length else {
                    throw .wrongBytes(
                        path: file.path, expected: file.sha256, found: file.sha256)
                }
                continue
            }
            if try isWhole(file) { continue }
            if let otherFolder, let path = elsewhere[file.sha256],
                try link(file, from: otherFolder, path)
            {
                continue
            }
            missing.append(file)
        }
        return missing
    }

    /// Whether an earlier call, or the slot's old bundle, left the whole file; what fails its digest becomes a donor.
    private mutating func isWhole(_ file: ManifestFile) throws(SlotError) -> Bool {
        let whole = SlotPaths.whole(file.sha256)
        var hasher = FileHasher(until: stop)
        if try hasher.file(folder, whole, meets: file.sha256, length: file.length) {
            try onDisk { () throws(FileError) in try protect(whole) }
            summary.reusedBytes += file.length
            return true
        }
        try onDisk { () throws(FileError) in
            if try folder.status(whole) != nil {
                try folder.rename(whole, to: SlotPaths.donor(file.sha256))
            }
        }
        donors.add(file, in: folder, at: SlotPaths.donor(file.sha256))
        return false
    }

    private mutating func link(
        _ file: ManifestFile, from home: Directory, _ path: TargetPath
    ) throws(SlotError) -> Bool {
        var hasher = FileHasher(until: stop)
        guard try hasher.file(home, path, meets: file.sha256, length: file.length) else {
            return false
        }
        try onDisk { () throws(FileError) in
            _ = try folder.place(SlotPaths.whole(file.sha256), from: home, path)
        }
        summary.reusedBytes += file.length
        return true
    }

    // MARK: What must come

    private func reserve(_ files: [ManifestFile]) throws(SlotError) {
        // What has its blocks is left alone: tmpfs takes blocks that are reserved twice for written ones.
        let (lacking, needed, free) = try onDisk { () throws(FileError) in
            var lacking: [ManifestFile] = []
            var needed: Int64 = 0
            for file in files {
                let held = try folder.status(SlotPaths.part(file.sha256))?.allocatedBytes ?? 0
                guard held < file.length else { continue }
                lacking.append(file)
                needed += file.length - held
            }
            return (lacking, needed, try root.freeBytes())
        }
        guard needed == 0 || free >= needed + Self.spareBytes else {
            throw .insufficientStorage(needed: needed + Self.spareBytes, free: free)
        }
        do throws(FileError) {
            for file in lacking { try open(file).reserve(file.length) }
        } catch {
            guard error.isOutOfSpace else { throw SlotError(error) }
            // Given back, so that the device does not stay full for nothing; what has come is kept.
            try onDisk { () throws(FileError) in
                for file in files {
                    let part = try open(file)
                    try part.truncate(to: try part.size())
                }
            }
            throw .insufficientStorage(needed: needed, free: free)
        }
    }

    private func open(_ file: ManifestFile) throws(FileError) -> OpenFile {
        let part = try folder.open(
            SlotPaths.part(file.sha256), .makingIfMissing(.ownerOnly))
        if try part.size() > file.length { try part.truncate(to: 0) }
        try part.readNoFurther()
        return part
    }

    /// What must come of each file, after what is here already.
    ///
    /// - Throws: `.overBudget` where that is more than the limit: what cannot end is not begun.
    private mutating func plan(_ files: [ManifestFile]) throws(SlotError) -> [ComingFile] {
        var plan: [ComingFile] = []
        var needed: Int64 = 0
        for file in files {
            let part = PartFile(try onDisk { () throws(FileError) in try open(file) })
            let coming = try ComingFile(file, into: part, using: &donors, until: stop)
            needed += coming.neededBytes
            summary.reusedBytes += coming.reusedBytes + coming.headBytes
            plan.append(coming)
        }
        if let limit, needed > limit { throw .overBudget(needed: needed, allowed: limit) }
        return plan
    }

    private mutating func fetch(_ files: [ComingFile]) throws(SlotError) {
        do throws(SlotError) {
            if let only = sources.first, sources.count == 1 {
                try fetch(files, from: only)
            } else {
                let crew = FetchCrew(for: files, until: stop)
                try crew.run(sources) { () throws(SlotError) in
                    for coming in files {
                        try finish(coming) { () throws(SlotError) in try crew.wait() }
                    }
                }
                summary.fetchedBytes += crew.fetchedBytes
            }
        } catch {
            // To go on from, also after a power cut; the first error is the one to tell.
            for coming in files where coming.part.isDirty { try? coming.part.sync() }
            throw error
        }
    }

    /// File by file on this thread.
    private mutating func fetch(
        _ files: [ComingFile], from source: any Fetching
    ) throws(SlotError) {
        var fetch = ChunkFetch(from: source, until: stop) { (coming) throws(FileError) in
            try coming.part.syncIfDue()
        }
        for coming in files {
            for run in coming.runs(atMost: .max) { try fetch.fetch(run, of: coming) }
            try finish(coming) { () throws(SlotError) in throw .interrupted }
        }
        summary.fetchedBytes += fetch.fetchedBytes
    }

    /// Hashes a file as a whole behind its chunks, makes it durable, and gives it its name.
    ///
    /// - Parameters:
    ///   - coming: the file.
    ///   - wait: called where the next chunk has not come; returns when more may have.
    /// - Throws: `.wrongBytes` where its chunks are right and the file is not, and what `wait` throws.
    private func finish(
        _ coming: ComingFile, wait: () throws(SlotError) -> Void
    ) throws(SlotError) {
        let (file, part) = (coming.file, coming.part)
        var hasher = FileHasher(until: stop)
        var hash = SHA256()
        var offset: Int64 = 0
        var isRead = true
        while isRead, offset < file.length {
            let end = coming.wholeBytes
            if end == offset { try wait() }
            isRead = try hasher.feed(&hash, with: part.file, offset..<end)
            offset = end
            try onDisk { () throws(FileError) in try part.syncIfDue() }
        }
        let found = isRead ? hash.finish() : nil
        try onDisk { () throws(FileError) in try part.sync() }
        try onDisk { () throws(FileError) in
            guard found == file.sha256 else {
                // The manifest contradicts itself, or the disk does not keep what it is given.
                _ = try folder.removeFile(SlotPaths.part(file.sha256))
                return
            }
            try folder.rename(
                SlotPaths.part(file.sha256), to: SlotPaths.whole(file.sha256))
            try protect(SlotPaths.whole(file.sha256))
            try folder.removeFile(SlotPaths.donor(file.sha256))
        }
        guard let found else {
            throw SlotError(.short(path: part.file.path, expected: file.length, found: 0))
        }
        guard found == file.sha256 else {
            throw .wrongBytes(path: file.path, expected: file.sha256, found: found)
        }
    }

    /// Makes a whole file read-only, durably.
    private func protect(_ path: TargetPath) throws(FileError) {
        let file = try folder.open(path, .reading)
        guard try file.status().mode & 0o222 != 0 else { return }
        try file.makeReadOnly()
        try file.sync()
    }

    // MARK: Making it a bundle

    private func place() throws(FileError) {
        let slotFolder = try root.makeFolders(paths.folder)
        for file in target.manifest.files {
            let parts = file.path.parts
            if parts.count > 1, let parent = TargetPath(parts.dropLast().joined(separator: "/")) {
                try slotFolder.makeFolders(parent)
            }
            try slotFolder.place(
                file.path, from: folder, SlotPaths.whole(file.sha256), by: [.hardLink])
        }
    }

    private func seal() throws(FileError) {
        try root.rename(paths.stagedManifest, to: paths.seal)
        try root.removeTree(paths.staging)
    }
}

extension SlotFolder {
    package func discard(_ slot: Slot) throws(SlotError) {
        let paths = SlotPaths(slot)
        let remains = try onDisk { () throws(FileError) -> [TargetPath] in
            var remains: [TargetPath] = []
            let isSealed = try root.status(paths.seal) != nil
            if !isSealed, try root.status(paths.folder) != nil { remains.append(paths.folder) }
            if try root.status(paths.staging) != nil { remains.append(paths.staging) }
            return remains
        }
        guard !remains.isEmpty else { return }
        try whileHolding(slot) { () throws(SlotError) in
            try onDisk { () throws(FileError) in
                for path in remains { try root.removeTree(path) }
            }
        }
    }

    package func stage(
        _ target: ManifestTarget, into slot: Slot, from sources: [any Fetching],
        atMost limit: Int64?, until stop: Interrupt
    ) throws(SlotError) -> StagingSummary {
        let isThere = try onDisk { () throws(FileError) in
            guard try contents(slot) == .whole(target.reference) else { return false }
            // Finished, or begun while the disk could not tell that the bundle is here.
            if try root.status(SlotPaths(slot).staging) != nil {
                try root.removeTree(SlotPaths(slot).staging)
            }
            // Whoever sealed it may have been killed before the name was durable.
            try root.directory(SlotPaths(slot).folder).sync()
            return true
        }
        if isThere { return StagingSummary(fetchedBytes: 0, reusedBytes: 0) }
        return try whileHolding(slot) { () throws(SlotError) in
            do throws(SlotError) {
                var staging = try Staging(
                    target, into: slot, of: self, from: sources, atMost: limit, until: stop)
                return try staging.run()
            } catch {
                guard error.isOutOfSpace else { throw error }
                let free = (try? root.freeBytes()) ?? 0
                throw .insufficientStorage(
                    needed: target.manifest.totalLength, free: free)
            }
        }
    }
}
