import CPosixShims
import Glibc
package import Primitives

/// One name in a folder.
package struct DirectoryEntry: Sendable, Hashable {
    /// The name; bytes that are no UTF-8 are replaced, and such a name then opens nothing.
    package let name: String
    package let kind: FileStatus.Kind

    package init(name: String, kind: FileStatus.Kind) {
        self.name = name
        self.kind = kind
    }
}

extension Directory {
    /// Levels of folders that `removeTree` goes down, each of which takes a descriptor meanwhile.
    package static let depthLimit = 128

    /// The names directly in this folder, in byte order.
    ///
    /// - Throws: `.tooLarge` beyond `limit` names.
    package func list(limit: Int = 100_000) throws(FileError) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        for name in try names(limit: limit) {
            let text = String(decoding: name.bytes, as: UTF8.self)
            do {
                entries.append(DirectoryEntry(name: text, kind: try status(text).kind))
            } catch {
                // Gone since it was listed, or not UTF-8; both open nothing.
                guard error.isNotFound else { throw error }
                entries.append(DirectoryEntry(name: text, kind: .other))
            }
        }
        return entries
    }

    /// The names in a folder below this one, in byte order; none where the folder is missing.
    package func list(
        _ path: TargetPath, limit: Int = 100_000
    ) throws(FileError) -> [DirectoryEntry] {
        do {
            return try directory(path).list(limit: limit)
        } catch {
            if error.isNotFound { return [] }
            throw error
        }
    }

    /// Removes a file or a link, durably; false where nothing was there.
    @discardableResult
    package func removeFile(_ path: TargetPath) throws(FileError) -> Bool {
        do {
            let (folder, name) = try locate(path)
            try folder.unlink(name)
            try folder.sync()
            return true
        } catch {
            if error.isNotFound { return false }
            throw error
        }
    }

    /// Removes whatever stands at a path, with all below it, durably; links are removed, never followed.
    ///
    /// A crash may leave a part of it; calling it again goes on. False where nothing was there.
    @discardableResult
    package func removeTree(_ path: TargetPath) throws(FileError) -> Bool {
        do {
            let (folder, name) = try locate(path)
            try folder.removeAll(RawName(name), depth: 0)
            try folder.sync()
            return true
        } catch {
            if error.isNotFound { return false }
            throw error
        }
    }
}

/// A name as the file system holds it: any bytes but `/` and NUL, which ends it here.
private struct RawName {
    let terminated: [CChar]

    init(_ text: String) {
        terminated = text.utf8.map { CChar(bitPattern: $0) } + [0]
    }

    init(_ buffer: ArraySlice<CChar>) {
        terminated = buffer + [0]
    }

    var bytes: [UInt8] { terminated.dropLast().map { UInt8(bitPattern: $0) } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Directory {
    private func names(limit: Int) throws(FileError) -> [RawName] {
        var names: [RawName] = []
        var failure: Int32 = 0
        var listing: UnsafeMutableRawPointer?
        try calls.make(Syscall(.list, path)) {
            unsafe listing = cposix_open_listing(handle.number, &failure)
            return failure
        }
        defer { unsafe cposix_close_listing(listing) }
        var buffer = [CChar](repeating: 0, count: 256)
        while true {
            let length = try calls.make(Syscall(.list, path)) {
                unsafe cposix_next_name(listing, &buffer)
            }
            if length == 0 { break }
            guard names.count < limit else {
                throw .tooLarge(path: path, limit: Int64(limit), found: Int64(limit) + 1)
            }
            names.append(RawName(buffer[..<Int(length)]))
        }
        return names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    private func removeAll(_ name: RawName, depth: Int) throws(FileError) {
        do {
            try unlink(name, isFolder: false)
            return
        } catch .system(.unlink, _, EISDIR) {
            // A folder: emptied first, below.
        }
        guard depth < Self.depthLimit else {
            throw .tooLarge(
                path: join(name.text), limit: Int64(Self.depthLimit), found: Int64(depth) + 1)
        }
        let folder = try child(name)
        for inner in try folder.names(limit: .max) {
            do {
                try folder.removeAll(inner, depth: depth + 1)
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        try unlink(name, isFolder: true)
    }

    private func child(_ name: RawName) throws(FileError) -> Directory {
        let path = join(name.text)
        let number = try calls.make(Syscall(.open, path)) {
            unsafe cposix_openat(
                handle.number, name.terminated, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0)
        }
        return Directory(Descriptor(owning: number), path: path, calls: calls)
    }

    private func unlink(_ name: RawName, isFolder: Bool) throws(FileError) {
        try calls.make(Syscall(.unlink, join(name.text))) {
            unsafe cposix_unlinkat(handle.number, name.terminated, isFolder)
        }
    }
}
