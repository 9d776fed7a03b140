import TestSupport

/// What a power cut does to everything that was not synced.
enum Fate: Hashable, CustomStringConvertible {
    /// All of it is gone.
    case nothing
    /// Bytes are there, names are not.
    case bytesWithoutNames
    /// Names are there, and files are as long as they last were when synced.
    case namesWithoutBytes
    /// Names and lengths are there, and zeros for bytes.
    case namesWithZeros
    /// Everything is there, but of the last write only so many bytes.
    case torn(Int)
    /// Of each folder's changes a beginning, and of each file's pages some.
    case some(UInt64)

    var description: String {
        switch self {
        case .nothing: "nothing unsynced"
        case .bytesWithoutNames: "bytes without names"
        case .namesWithoutBytes: "names without bytes"
        case .namesWithZeros: "names with zeros"
        case .torn(let count): "\(count) bytes of the last write"
        case .some(let seed): "some of it, seed \(seed)"
        }
    }
}

/// What is on a disk after a power cut.
struct DiskImage: Hashable {
    /// One change of a file as it came to be: as it was, not at all, as zeros, or in part.
    enum Kept: Hashable {
        case whole
        case none
        case zeros
        case first(Int)
        /// Those pages of 512 bytes, by number, that a generator of this seed lets be.
        case pages(UInt64)
    }

    let names: DiskModel.Names
    /// What became of each change of each file that has a name.
    let kept: [DiskModel.Node: [Kept]]

    init(_ disk: DiskModel, _ fate: Fate) {
        var random = SeededGenerator(seed: 0)
        if case .some(let seed) = fate { random = SeededGenerator(seed: seed) }
        var names = disk.durable
        let chosen: Set<Int>
        switch fate {
        case .nothing, .bytesWithoutNames: chosen = []
        case .namesWithoutBytes, .namesWithZeros, .torn: chosen = Set(disk.pending.indices)
        case .some:
            var ends: [DiskModel.Node: Int] = [:]
            for edit in disk.pending.flatMap(\.edits) where ends[edit.folder] == nil {
                ends[edit.folder] = Int.random(in: 0...disk.pending.count, using: &random)
            }
            let wanted = disk.pending.indices.filter { index in
                disk.pending[index].edits.allSatisfy { index < ends[$0.folder] ?? 0 }
            }
            let numbered = Set(wanted)
            var index = -1
            chosen = DiskModel.closure(of: disk.pending) { _ in
                index += 1
                return numbered.contains(index)
            }
        }
        for (index, naming) in disk.pending.enumerated() where chosen.contains(index) {
            DiskModel.put(naming, into: &names)
        }
        var kept: [DiskModel.Node: [Kept]] = [:]
        var reachable: DiskModel.Names = [:]
        var folders = [DiskModel.root]
        while let folder = folders.popLast() {
            reachable[folder] = names[folder]
            for (_, node) in (names[folder] ?? [:]).sorted(by: { $0.key < $1.key }) {
                switch disk.kinds[node] {
                case .folder: folders.append(node)
                case .file where kept[node] == nil:
                    kept[node] = Self.kept(node, of: disk, fate, &random)
                case .file, .link: break
                }
            }
        }
        self.names = reachable
        self.kept = kept
    }

    private static func kept(
        _ node: DiskModel.Node, of disk: DiskModel, _ fate: Fate, _ random: inout SeededGenerator
    ) -> [Kept] {
        guard let file = disk.files[node] else { return [] }
        var kept = [Kept](repeating: .whole, count: file.synced)
        for index in file.synced..<file.changes.count {
            let isLast = node == disk.lastWritten && index == file.changes.count - 1
            switch fate {
            case .nothing, .namesWithoutBytes: kept.append(.none)
            case .namesWithZeros: kept.append(.zeros)
            case .bytesWithoutNames: kept.append(.whole)
            case .torn(let count): kept.append(isLast ? .first(count) : .whole)
            case .some:
                kept.append(
                    [.whole, .none, .pages(random.next())].randomElement(using: &random) ?? .none)
            }
        }
        return kept
    }
}

extension DiskModel.File {
    /// The bytes and permissions of a file of which this was kept.
    func content(_ kept: [DiskImage.Kept]) -> (bytes: [UInt8], mode: UInt32) {
        var bytes: [UInt8] = []
        var mode = self.mode
        for (change, kept) in zip(changes, kept) where kept != .none {
            switch change {
            case .length(let length): Self.resize(&bytes, to: Int(length))
            case .mode(let new): mode = new
            case .bytes(let offset, let new):
                Self.write(new, kept, at: Int(offset), into: &bytes)
            }
        }
        return (bytes, mode)
    }

    private static func write(
        _ new: [UInt8], _ kept: DiskImage.Kept, at offset: Int, into bytes: inout [UInt8]
    ) {
        let count = if case .first(let count) = kept { min(count, new.count) } else { new.count }
        resize(&bytes, to: max(bytes.count, offset + count))
        switch kept {
        case .none, .zeros: break
        case .whole, .first:
            bytes.replaceSubrange(offset..<(offset + count), with: new[..<count])
        case .pages(let seed):
            var random = SeededGenerator(seed: seed)
            for start in stride(from: 0, to: count, by: 512) where Bool.random(using: &random) {
                let end = min(start + 512, count)
                bytes.replaceSubrange((offset + start)..<(offset + end), with: new[start..<end])
            }
        }
    }

    private static func resize(_ bytes: inout [UInt8], to count: Int) {
        if count < bytes.count {
            bytes.removeSubrange(count...)
        } else {
            bytes += [UInt8](repeating: 0, count: count - bytes.count)
        }
    }
}
