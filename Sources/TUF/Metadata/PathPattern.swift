package import Primitives

/// A pattern of target paths (TUF 1.0.34 section 4.5): `*` stands for any characters but `/`, `?` for
/// one character but `/`; all else stands for itself.
package struct PathPattern: Sendable, ExactText {
    package static let expected = "a path pattern: 1 to 512 bytes"

    package let description: String

    package init?(_ text: String) {
        guard (1...512).contains(text.utf8.count) else { return nil }
        description = text
    }

    package func matches(_ path: TargetPath) -> Bool {
        Self.match(Array(description.unicodeScalars), Array(path.description.unicodeScalars))
    }

    /// Goes back to the last `*` only: what an earlier one could take would bring the rest no nearer.
    private static func match(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        var p = 0
        var t = 0
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, t)
                p += 1
            } else if p < pattern.count,
                pattern[p] == text[t] || (pattern[p] == "?" && text[t] != "/")
            {
                p += 1
                t += 1
            } else if let last = star, text[last.text] != "/" {
                star = (last.pattern, last.text + 1)
                p = last.pattern + 1
                t = last.text + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
