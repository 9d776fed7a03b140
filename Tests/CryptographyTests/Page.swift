import Glibc

/// A page of the documentation, found from where this file lies.
enum Page {
    struct Missing: Error { let path: String }

    static func read(_ name: String, file: String = #filePath) throws -> [UInt8] {
        let root = file.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/\(name)"
        guard let stream = unsafe fopen(path, "r") else { throw Missing(path: path) }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = unsafe fread(&buffer, 1, buffer.count, stream), count > 0 {
            bytes += buffer.prefix(count)
        }
        return bytes
    }
}

extension [UInt8] {
    /// The place after the first occurrence of a text, or nil.
    func place(after text: String, from start: Int = 0) -> Int? {
        let pattern = Array(text.utf8)
        return (start...Swift.max(start, count - pattern.count)).first { index in
            self[index...].starts(with: pattern)
        }.map { $0 + pattern.count }
    }
}
