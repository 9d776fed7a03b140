import Glibc

/// An error number of the system, in words: `permission denied` for `EACCES`.
package struct ErrorNumber: Sendable, Hashable, CustomStringConvertible {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// The C library's words, which it keeps in English where nobody sets a locale; ours begin in lower case.
    package var description: String {
        guard let words = unsafe strerror(number) else { return "error \(number)" }
        var text = Array(unsafe String(cString: words).utf8)
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        if text.count > 1, capitals.contains(text[0]), !capitals.contains(text[1]) {
            text[0] |= 0x20
        }
        return String(decoding: text, as: UTF8.self)
    }
}
