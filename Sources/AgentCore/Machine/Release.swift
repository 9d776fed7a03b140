package import Primitives

/// The bundle a device is to run, with all that the machine must know of its policy while it gets there.
package struct Release: Sendable, Hashable {
    /// Which way it leads, and so what stands in its way.
    package enum Direction: String, Sendable, Hashable {
        /// To a bundle that this device has not committed yet.
        case forward
        /// To one that it has committed before: needs no beacon and no probation, and no hold stops it.
        case back
    }

    package let bundle: BundleIdentity
    package let direction: Direction
    /// Whether the swap waits for an acknowledged beacon: every stage but the last.
    package let needsBeacon: Bool
    /// Whether a plan drives it, so that the policy's least dwell counts from the swap.
    package let isPlanDriven: Bool
    /// The longest probation, in seconds.
    package let probationSeconds: Int64
    /// The oldest version to go back to, once this bundle is committed.
    package let rollbackFloor: SemanticVersion?

    package init(
        bundle: BundleIdentity, direction: Direction, needsBeacon: Bool, isPlanDriven: Bool = true,
        probationSeconds: Int64, rollbackFloor: SemanticVersion? = nil
    ) {
        self.bundle = bundle
        self.direction = direction
        self.needsBeacon = needsBeacon
        self.isPlanDriven = isPlanDriven
        self.probationSeconds = probationSeconds
        self.rollbackFloor = rollbackFloor
    }
}

/// The 16 random bytes that name one update attempt from poll to last report (W3C Trace Context).
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// Nil unless there are 16 bytes, not all zero.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16, bytes.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
    }

    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    package init(using generator: inout some RandomNumberGenerator) {
        let high = UInt64.random(in: 1...UInt64.max, using: &generator)
        let low = UInt64.random(in: 0...UInt64.max, using: &generator)
        bytes = [high, low].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }

    /// The `traceparent` header of a request: the first eight bytes stand for the span.
    package var traceparent: String { "00-\(description)-\(Hex.encode(bytes.prefix(8)))-01" }

    package var description: String { Hex.encode(bytes) }
}
