import Glibc
import PosixFiles
import Primitives

/// A folder in memory of one run, and what somebody who knows nothing of slots finds in it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/dev/shm/fieldfare-crash-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        guard isMade else { throw StoryError("no scratch folder in /dev/shm") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let name = TargetPath(String(path.dropFirst("/dev/shm/".count))) else { return }
        _ = try? Directory(opening: "/dev/shm").removeTree(name)
    }

    /// All bytes of a file; nil where none can be read.
    static func bytes(_ path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count == 0 { return unsafe ferror(file) == 0 ? bytes : nil }
            bytes += buffer[..<count]
        }
    }

    /// What a link names; nil where none stands.
    static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Everything below a folder, one line each: kind, permissions, length, path.
    ///
    /// The journal's length is its own affair, and so is its log, which stays where closing it fails; what a device remembers
    /// of a rejected bundle tells of its troubles too.
    static func tree(_ folder: String) throws -> [String] {
        var lines: [String] = []
        func walk(_ directory: Directory, _ prefix: String) throws {
            for entry in try directory.list() where entry.name != "journal.db-wal" {
                guard let name = TargetPath(entry.name),
                    let status = try directory.status(name)
                else { throw StoryError("cannot look at \(prefix)\(entry.name)") }
                let hasLength =
                    status.kind == .file && !entry.name.hasPrefix("journal.db")
                    && entry.name != "memory.json"
                lines.append(
                    "\(status.kind.rawValue) \(String(status.mode, radix: 8)) "
                        + "\(hasLength ? "\(status.size)" : "-") \(prefix)\(entry.name)")
                if status.kind == .folder {
                    try walk(directory.directory(name), "\(prefix)\(entry.name)/")
                }
            }
        }
        try walk(Directory(opening: folder), "")
        return lines
    }
}
