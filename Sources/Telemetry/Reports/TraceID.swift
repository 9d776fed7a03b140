private import Primitives

/// The trace of one update attempt, from poll to report: 16 bytes, not all 0 (W3C Trace Context, section 3.2.2.3).
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
    package static let expected = "a trace id: 32 lower-case hexadecimal digits, not all 0"

    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 16, bytes.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
    }

    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    package var description: String { Hex.encode(bytes) }

    /// The `traceparent` header for a request, with a span id of 8 bytes, sampled.
    package func traceparent(span: UInt64) -> String {
        let bytes = stride(from: 56, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: span >> $0)
        }
        return "00-\(self)-\(Hex.encode(bytes))-01"
    }
}
