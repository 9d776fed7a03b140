package import Primitives

/// Versions that a release may replace: `1.3.0`, `1.0.0..<1.4.0` or `1.0.0...1.3.9`, by SemVer order.
package struct VersionRange: Sendable, Hashable, CustomStringConvertible {
    package static let expected =
        "a version such as 1.3.0, or a range such as 1.0.0..<1.4.0 or 1.0.0...1.3.9"

    package let lowest: SemanticVersion
    package let highest: SemanticVersion
    /// Whether `highest` itself is one of them.
    package let isClosed: Bool

    package init(_ version: SemanticVersion) {
        self.init(lowest: version, highest: version, isClosed: true)
    }

    private init(lowest: SemanticVersion, highest: SemanticVersion, isClosed: Bool) {
        self.lowest = lowest
        self.highest = highest
        self.isClosed = isClosed
    }

    /// Nil unless the text is one of the three forms, with a lower end below the upper.
    package init?(_ text: String) {
        if let version = SemanticVersion(text) {
            self.init(version)
            return
        }
        for (sign, isClosed) in [("..<", false), ("...", true)] {
            guard let (low, high) = Self.split(text, at: sign) else { continue }
            guard let lowest = SemanticVersion(low), let highest = SemanticVersion(high),
                lowest < highest
            else { return nil }
            self.init(lowest: lowest, highest: highest, isClosed: isClosed)
            return
        }
        return nil
    }

    package func contains(_ version: SemanticVersion) -> Bool {
        lowest <= version && (isClosed ? version <= highest : version < highest)
    }

    package var description: String {
        lowest == highest ? "\(lowest)" : "\(lowest)\(isClosed ? "..." : "..<")\(highest)"
    }

    private static func split(_ text: String, at sign: String) -> (String, String)? {
        let bytes = Array(text.utf8)
        let mark = Array(sign.utf8)
        guard bytes.count > mark.count else { return nil }
        for start in 0...(bytes.count - mark.count)
        where bytes[start..<(start + mark.count)].elementsEqual(mark) {
            return (
                String(decoding: bytes[..<start], as: UTF8.self),
                String(decoding: bytes[(start + mark.count)...], as: UTF8.self)
            )
        }
        return nil
    }
}
