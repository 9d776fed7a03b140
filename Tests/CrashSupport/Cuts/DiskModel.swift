import PosixFiles

/// A disk that keeps what was synced, and forgets of the rest what its fate wants.
///
/// What it assumes: a sync of a file makes its bytes, length and permissions durable, and not its name; a sync of a
/// folder makes the names in it durable, in the order in which they changed, and not what they name. A rename is one
/// step also where it goes from one folder to another. Nothing else is ordered: any unsynced page may be there or not.
struct DiskModel {
    /// The number of a file, folder or link.
    typealias Node = Int

    /// One change of a file.
    enum Change {
        case bytes(Int64, [UInt8])
        case length(Int64)
        case mode(UInt32)
    }

    struct File {
        /// The permissions that it was made with.
        let mode: UInt32
        var changes: [Change] = []
        /// How many of them are durable.
        private(set) var synced = 0

        init(_ mode: UInt32) { self.mode = mode }

        mutating func sync() { synced = changes.count }
    }

    enum Kind {
        /// A folder with its permissions, which never change here.
        case folder(UInt32)
        case link(String)
        case file
    }

    /// What one call did to names: all of it, or nothing.
    struct Naming {
        struct Edit {
            let folder: Node
            let name: String
            let node: Node?
        }

        let edits: [Edit]

        func touches(_ folder: Node) -> Bool { edits.contains { $0.folder == folder } }
    }

    typealias Names = [Node: [String: Node]]

    static let root: Node = 0

    /// The path of the root.
    let path: String
    private(set) var kinds: [Kind] = [.folder(0o700)]
    private(set) var files: [Node: File] = [:]
    /// Names as the device sees them.
    private(set) var seen: Names = [root: [:]]
    /// Names as they are on the disk.
    private(set) var durable: Names = [root: [:]]
    /// Changes of names that are not durable, oldest first.
    private(set) var pending: [Naming] = []
    /// The file that the last call wrote into.
    private(set) var lastWritten: Node?

    init(path: String) { self.path = path }

    // MARK: What happens to it

    mutating func apply(_ call: Syscall, _ bytes: [UInt8], mode: UInt32) {
        lastWritten = nil
        switch call.operation {
        case .open: if node(call.path) == nil { name(call.path, make(.file, mode)) }
        case .mkdir: name(call.path, make(.folder(mode)))
        case .symlink: name(call.path, make(.link(call.other ?? "")))
        case .link: name(call.path, known(call.other))
        case .rename:
            let moved = known(call.other)
            change([edit(call.other ?? "", nil), edit(call.path, moved)])
        case .unlink: name(call.path, nil)
        case .write, .copy:
            let file = known(call.path)
            files[file]?.changes.append(.bytes(call.range?.lowerBound ?? 0, bytes))
            lastWritten = file
        case .clone:
            let file = known(call.path)
            files[file]?.changes += [.length(0), .bytes(0, bytes)]
            lastWritten = file
        case .truncate:
            files[known(call.path)]?.changes.append(.length(call.range?.upperBound ?? 0))
        case .chmod: files[known(call.path)]?.changes.append(.mode(mode))
        case .sync: sync(known(call.path))
        case .reserve: break  // Blocks only; no length of this device's files is changed by it.
        case .punch: punch(known(call.path), call.range ?? 0..<0)
        case .read, .writeback, .seek, .advise, .status, .space, .readlink, .list, .lock:
            preconditionFailure("no effect: \(call)")
        }
    }

    /// What is given back reads as zeros.
    private mutating func punch(_ file: Node, _ range: Range<Int64>) {
        files[file]?.changes.append(
            .bytes(range.lowerBound, [UInt8](repeating: 0, count: range.count)))
    }

    /// Changes a byte of a file where it lies.
    mutating func rot(_ path: String, at offset: Int64, _ byte: UInt8) {
        let file = known(path)
        files[file]?.changes.append(.bytes(offset, [byte]))
        files[file]?.sync()
        lastWritten = nil
    }

    private mutating func make(_ kind: Kind, _ mode: UInt32 = 0) -> Node {
        kinds.append(kind)
        let node = kinds.count - 1
        switch kind {
        case .file: files[node] = File(mode)
        case .folder:
            seen[node] = [:]
            durable[node] = [:]
        case .link: break
        }
        return node
    }

    private mutating func name(_ path: String, _ node: Node?) { change([edit(path, node)]) }

    private mutating func change(_ edits: [Naming.Edit]) {
        for edit in edits { seen[edit.folder]?[edit.name] = edit.node }
        pending.append(Naming(edits: edits))
    }

    private func edit(_ path: String, _ node: Node?) -> Naming.Edit {
        var parts = relative(path)
        guard let name = parts.popLast(), let folder = walk(parts) else {
            preconditionFailure("no folder of \(path)")
        }
        return Naming.Edit(folder: folder, name: name, node: node)
    }

    private mutating func sync(_ node: Node) {
        guard case .folder = kinds[node] else {
            files[node]?.sync()
            return
        }
        let chosen = Self.closure(of: pending) { $0.touches(node) }
        for (index, naming) in pending.enumerated() where chosen.contains(index) {
            Self.put(naming, into: &durable)
        }
        pending = pending.enumerated().filter { !chosen.contains($0.offset) }.map(\.element)
    }

    // MARK: Names

    /// The changes that are wanted, and all that must come with them: those before them in each folder that they touch.
    static func closure(of pending: [Naming], _ isWanted: (Naming) -> Bool) -> Set<Int> {
        var chosen = Set(pending.indices.filter { isWanted(pending[$0]) })
        while true {
            let before = chosen.count
            for later in chosen {
                for edit in pending[later].edits {
                    chosen.formUnion((0..<later).filter { pending[$0].touches(edit.folder) })
                }
            }
            if chosen.count == before { return chosen }
        }
    }

    static func put(_ naming: Naming, into names: inout Names) {
        for edit in naming.edits { names[edit.folder]?[edit.name] = edit.node }
    }

    private func relative(_ path: String) -> [String] {
        precondition(path == self.path || path.hasPrefix(self.path + "/"), "outside: \(path)")
        return path.dropFirst(self.path.count).split(separator: "/").map(String.init)
    }

    private func walk(_ parts: [String]) -> Node? {
        var node = Self.root
        for part in parts {
            guard let next = seen[node]?[part] else { return nil }
            node = next
        }
        return node
    }

    private func node(_ path: String) -> Node? { walk(relative(path)) }

    private func known(_ path: String?) -> Node {
        guard let path, let node = node(path) else {
            preconditionFailure("nothing at \(path ?? "-")")
        }
        return node
    }
}
