import Primitives

/// Numbers as people write them in bundle.yaml: `512 MiB` for bytes, `10%` or `2.5%` for thousandths.
enum WrittenNumber {
    static let bytesExpected = "a number of bytes, such as 536870912 or 512 MiB"
    static let rateExpected = "thousandths, or a percentage such as 2.5%"

    private static let units: [String: Int64] = [
        "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1_000, "MB": 1_000_000,
        "GB": 1_000_000_000,
    ]

    /// An integer of bytes; nil for text that is none.
    static func bytes(_ json: JSON) -> JSON? {
        guard case .string(let text) = json else { return json }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int64(digits), let factor = units[String(unit)],
            case (let product, false) = number.multipliedReportingOverflow(by: factor)
        else { return nil }
        return .integer(product)
    }

    /// An integer of thousandths; nil for text that is none.
    static func thousandths(_ json: JSON) -> JSON? {
        guard case .string(let text) = json else { return json }
        guard text.last == "%" else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole >= 0, whole <= 100
        else { return nil }
        guard parts.count == 2 else { return .integer(whole * 10) }
        guard parts[1].utf8.count == 1, let tenth = Int64(parts[1]), tenth >= 0 else { return nil }
        return .integer(whole * 10 + tenth)
    }
}
