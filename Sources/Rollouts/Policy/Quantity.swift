import Primitives

/// What a number in a policy counts, and so which units a person may write it with.
enum Quantity {
    case basisPoints
    case thousandths
    case seconds
    case moment
    case bytes

    /// By the name of the field; nil for a plain count or something else than a number.
    init?(of key: String) {
        switch key {
        case "share", "cap": self = .basisPoints
        case "not_before", "not_after": self = .moment
        case "bytes": self = .bytes
        case "seconds": self = .seconds
        case _ where key.utf8.suffix(2).elementsEqual("_s".utf8): self = .seconds
        case _ where Self.ratios.contains(key): self = .thousandths
        default: return nil
        }
    }

    private static let ratios: Set<String> = Set(
        [
            "limit", "accepted", "absolute", "alpha", "alpha_pause", "attempts_q0",
            "uncontrolled_q0", "coverage",
            "fleet_part", "jump", "pause_fraction", "rho0", "size_fraction", "slow", "mid_q0",
            "tail_q0", "error_q0", "least_battery",
        ] + Metric.allCases.map(\.rawValue))

    var expected: String {
        switch self {
        case .basisPoints: "basis points or a percentage such as 1%"
        case .thousandths: "thousandths, a ratio such as 1.30 or a percentage such as 5%"
        case .seconds: "seconds or a time such as 90s, 15m, 24h or 7d"
        case .moment: "UTC seconds or a moment such as 2026-11-21T05:06:07Z"
        case .bytes: "bytes or a size such as 64MiB"
        }
    }

    /// The integer that a text stands for; nil where it is not exactly one.
    func value(of text: String) -> Int64? {
        if let plain = Int64(text) { return plain }
        switch self {
        case .moment: return UTCTime(iso8601: text)?.seconds
        case .basisPoints: return Self.scaled(text, suffix: "%", by: 100)
        case .thousandths:
            return Self.scaled(text, suffix: "%", by: 10)
                ?? Self.scaled(text, suffix: "", by: 1_000)
        case .seconds: return Self.scaled(text, units: ["s": 1, "m": 60, "h": 3_600, "d": 86_400])
        case .bytes:
            return Self.scaled(text, units: ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30])
        }
    }

    private static func scaled(_ text: String, units: KeyValuePairs<String, Int64>) -> Int64? {
        for (unit, scale) in units {
            if let value = scaled(text, suffix: unit, by: scale) { return value }
        }
        return nil
    }

    /// A decimal number before `suffix`, times `scale`, where the product is whole.
    private static func scaled(_ text: String, suffix: String, by scale: Int64) -> Int64? {
        guard text.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else { return nil }
        let number = text.utf8.dropLast(suffix.utf8.count)
        let parts = number.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let decimals = parts.count == 2 ? parts[1].count : 0
        guard !number.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }),
            decimals <= 6,
            let digits = Int64(parts.map { String(decoding: $0, as: UTF8.self) }.joined())
        else { return nil }
        let (product, isOver) = digits.multipliedReportingOverflow(by: scale)
        let divisor = (0..<decimals).reduce(Int64(1)) { value, _ in value * 10 }
        return isOver || product % divisor != 0 ? nil : product / divisor
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
