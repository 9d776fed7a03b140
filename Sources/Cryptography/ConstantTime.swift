import CSodium

/// Comparison of secrets without telling, by the time it takes, where they differ.
package enum ConstantTime {
    /// Whether two byte strings are equal; their lengths are no secret.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe sodium_memcmp(left, right, left.count) == 0
    }
}
