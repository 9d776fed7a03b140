import CPosixShims
import Glibc
package import Primitives

/// What committing a pending file does where its name is taken.
package enum CommitRule: Sendable, Hashable {
    /// The new file takes the old one's place.
    case replacing
    /// Equal bytes there are as good as ours; different ones are refused.
    case immutable
    /// Whatever is there is refused.
    case new
}

/// What committing a pending file did.
package enum CommitResult: Sendable, Hashable {
    case written
    /// Equal bytes were there already.
    case alreadyThere
}

/// A file being written under a temporary name in its final folder; it gets its name whole and durable, or never.
///
/// The system calls of a durable write, in order, and what a crash after each leaves:
///
///     openat(folder, ".new-<16 hex>", O_CREAT | O_EXCL)   old file, an empty temporary
///     pwrite(...) until all is written                    old file, part of a temporary
///     fsync(temporary)                                    old file, a whole temporary
///     renameat(temporary -> name)                         old or new file, whole
///     fsync(folder)                                       new file
///
/// `.immutable` and `.new` rename with RENAME_NOREPLACE, or link and unlink where the file system lacks it.
/// A temporary left by a crash goes with `Directory.removeTemporaries()`. Dropping the object uncommitted removes it.
package final class PendingFile {
    package let file: OpenFile
    private let folder: Directory
    private let name: String
    private let temporary: String
    private var isPending = true

    init(in folder: Directory, name: String, mode: FileMode) throws(FileError) {
        let temporary = Directory.temporaryName()
        self.folder = folder
        self.name = name
        self.temporary = temporary
        file = try folder.openFile(temporary, .makingNew(mode))
    }

    deinit {
        if isPending { try? folder.unlink(temporary) }
    }

    /// Makes the bytes durable, then the name, by the rule; the object is spent after it, whatever happens.
    ///
    /// - Throws: `.differs` or `.exists` by the rule; then the file there is as it was.
    @discardableResult
    package func commit(_ rule: CommitRule) throws(FileError) -> CommitResult {
        precondition(isPending, "a pending file is committed once")
        defer { isPending = false }
        do {
            try file.sync()
            let result = try takeName(rule)
            try folder.sync()
            return result
        } catch {
            try? folder.unlink(temporary)
            throw error
        }
    }

    private func takeName(_ rule: CommitRule) throws(FileError) -> CommitResult {
        if rule == .replacing {
            try folder.rename(temporary, to: folder, name)
            return .written
        }
        do {
            try folder.renameNew(temporary, to: folder, name)
            return .written
        } catch {
            guard case .exists = error, rule == .immutable else { throw error }
        }
        guard try holdsEqualBytes() else { throw .differs(path: folder.join(name)) }
        // Whoever wrote it may have crashed before it was durable.
        try folder.openFile(name, .reading).sync()
        try folder.unlink(temporary)
        return .alreadyThere
    }

    private func holdsEqualBytes() throws(FileError) -> Bool {
        let other = try folder.openFile(name, .reading)
        let size = try file.size()
        guard try other.size() == size else { return false }
        var mine = [UInt8](repeating: 0, count: Int(min(size, 256 << 10)))
        var theirs = mine
        var offset: Int64 = 0
        while offset < size {
            let count = try file.read(into: &mine, at: offset)
            let otherCount = try other.read(into: &theirs, at: offset)
            guard count == otherCount, count > 0, mine[..<count] == theirs[..<count] else {
                return false
            }
            offset += Int64(count)
        }
        return true
    }
}

extension Directory {
    /// Starts a file that gets its name only when it is whole; its folder must exist.
    package func stage(
        _ path: TargetPath, mode: FileMode = .shared
    ) throws(FileError) -> PendingFile {
        let (folder, name) = try locate(path)
        return try PendingFile(in: folder, name: name, mode: mode)
    }

    /// Puts bytes in the place of a file, durably: after a crash at any moment the old or the new ones are there, whole.
    package func replace(
        _ path: TargetPath, with bytes: [UInt8], mode: FileMode = .shared
    ) throws(FileError) {
        let pending = try stage(path, mode: mode)
        try pending.file.write(bytes, at: 0)
        try pending.commit(.replacing)
    }

    /// Writes a file that never changes again, durably; equal bytes are accepted any number of times.
    ///
    /// - Throws: `.differs` where other bytes are there.
    @discardableResult
    package func publish(
        _ path: TargetPath, _ bytes: [UInt8], mode: FileMode = .shared
    ) throws(FileError) -> CommitResult {
        let pending = try stage(path, mode: mode)
        try pending.file.write(bytes, at: 0)
        return try pending.commit(.immutable)
    }

    private static let temporaryPrefix = ".new-"

    static func temporaryName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return temporaryPrefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Removes what durable writes that were cut short have left directly in this folder; for its only writer.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    package func removeTemporaries() throws(FileError) -> Int {
        let length = Self.temporaryPrefix.utf8.count + 16
        var count = 0
        for entry in try list() where entry.kind == .file || entry.kind == .link {
            guard entry.name.hasPrefix(Self.temporaryPrefix), entry.name.utf8.count == length
            else { continue }
            try unlink(entry.name)
            count += 1
        }
        return count
    }
}
