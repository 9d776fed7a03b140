package import Primitives
package import Rollouts
package import Telemetry

/// The bundle a device is to run, with all that the machine must know of its policy while it gets there.
package struct Release: Sendable, Hashable {
    /// Which way it leads, and so what stands in its way.
    package enum Direction: String, Sendable, Hashable {
        /// To a bundle that this device has not committed yet.
        case forward
        /// To one that it has committed before: needs no beacon and no probation, and no hold stops it.
        case back
    }

    package let bundle: BundleReference
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
        bundle: BundleReference, direction: Direction, needsBeacon: Bool, isPlanDriven: Bool = true,
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

extension TraceID {
    /// A new one, never all zero.
    package init(using generator: inout some RandomNumberGenerator) {
        let high = UInt64.random(in: 1...UInt64.max, using: &generator)
        let low = UInt64.random(in: 0...UInt64.max, using: &generator)
        let bytes = [high, low].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
        guard let trace = TraceID(bytes: bytes) else {
            preconditionFailure("the high word is not zero")
        }
        self = trace
    }
}
