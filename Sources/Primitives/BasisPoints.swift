/// A share in ten-thousandths, 0 to 10,000: 100 is 1%.
package struct BasisPoints: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int64> = 0...10_000
    package static let all = BasisPoints(clamping: 10_000)
    package static let none = BasisPoints(clamping: 0)

    package let value: Int

    package init?(_ value: Int64) {
        guard Self.range.contains(value) else { return nil }
        self.value = Int(value)
    }

    package init(clamping value: Int) { self.value = min(max(value, 0), 10_000) }

    /// As a percentage with as many decimals as it needs, such as `1%` or `0.25%`.
    package var description: String {
        let whole = value / 100
        let rest = value % 100
        guard rest > 0 else { return "\(whole)%" }
        let digits = rest % 10 == 0 ? "\(rest / 10)" : (rest < 10 ? "0\(rest)" : "\(rest)")
        return "\(whole).\(digits)%"
    }

    package static func < (left: BasisPoints, right: BasisPoints) -> Bool {
        left.value < right.value
    }
}
