import Primitives

/// The defaults of a policy, in the one place where they are filled in.
package enum PolicyDefaults {
    /// Seconds between two plan-driven swaps forward of one device.
    package static let minDwell: Int64 = 21_600
    /// Seconds since the timestamp was signed.
    package static let freshness: Int64 = 86_400
}
