/// The part of a file that a `Range` header asks for (RFC 9110 section 14).
///
/// One range of bytes is served; several, or another unit, are ignored as the RFC allows, and the whole
/// file is sent.
package enum ByteRange: Sendable, Hashable {
    /// No range, or one that is ignored.
    case whole
    /// These bytes, at least one, all within the file.
    case part(Range<Int64>)
    /// A range without a byte of the file: 416.
    case unsatisfiable

    /// - Parameters:
    ///   - header: the value of `Range`, if there is one.
    ///   - length: of the file, in bytes.
    package init(header: String?, length: Int64) {
        guard let header, header.utf8.count <= 100, let (first, last) = Self.bounds(header) else {
            self = .whole
            return
        }
        switch (first, last) {
        case (let first?, let last?) where last >= first:
            self = Self.part(from: first, to: last, of: length)
        case (let first?, nil):
            self = Self.part(from: first, to: .max - 1, of: length)
        case (nil, let suffix?):
            let start = max(0, length - suffix)
            self = suffix > 0 && length > 0 ? .part(start..<length) : .unsatisfiable
        default: self = .whole
        }
    }

    private static func part(from first: Int64, to last: Int64, of length: Int64) -> ByteRange {
        first < length ? .part(first..<min(last + 1, length)) : .unsatisfiable
    }

    /// Both sides of `bytes=first-last`, either of which may be missing; nil for anything else.
    private static func bounds(_ header: String) -> (Int64?, Int64?)? {
        let prefix = "bytes="
        guard header.lowercased().hasPrefix(prefix) else { return nil }
        let sides = header.dropFirst(prefix.count)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard sides.count == 2 else { return nil }
        let numbers = sides.map { number($0) }
        for (side, number) in zip(sides, numbers) where !side.isEmpty && number == nil {
            return nil
        }
        guard numbers[0] != nil || numbers[1] != nil else { return nil }
        return (numbers[0], numbers[1])
    }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}
