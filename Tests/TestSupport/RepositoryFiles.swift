import Glibc
package import Primitives

/// The files of the repository itself, for tests that read fixtures, schemas and pages.
package enum RepositoryFiles {
    /// The absolute path of something in the repository.
    package static func path(_ relative: String) -> String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/" + relative
    }

    /// The bytes of a file in the repository; nil where it cannot be read.
    package static func bytes(_ relative: String) -> [UInt8]? {
        let descriptor = unsafe open(path(relative), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { space in
                unsafe read(descriptor, space.baseAddress, space.count)
            }
            guard count >= 0 else { return nil }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[0..<count])
        }
    }

    /// The JSON in a file of the repository; nil where there is none.
    ///
    /// Our own files hold integers only. What other programs wrote may hold fractions, which are cut off.
    package static func json(_ relative: String) -> JSON? {
        guard let bytes = bytes(relative) else { return nil }
        return try? JSON(parsing: withoutFractions(bytes), limit: 16 << 20)
    }

    private static func withoutFractions(_ bytes: [UInt8]) -> [UInt8] {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        var kept: [UInt8] = []
        var inString = false
        var inFraction = false
        for byte in bytes {
            let escaped = kept.last == UInt8(ascii: "\\")
            if byte == UInt8(ascii: "\""), !(inString && escaped) { inString.toggle() }
            if !inString, byte == UInt8(ascii: ".") { inFraction = true }
            if inFraction, byte == UInt8(ascii: ".") || digits.contains(byte) { continue }
            inFraction = false
            kept.append(byte)
        }
        return kept
    }
}
