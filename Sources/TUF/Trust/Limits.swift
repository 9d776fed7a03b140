/// How much of anything a reader of metadata takes; the bytes can be set, the counts are fixed.
package struct Limits: Sendable, Hashable {
    /// Bytes of one root file: some thousands of keys.
    package var root = 512_000
    /// Bytes of the timestamp, which names one file.
    package var timestamp = 16_384
    /// Bytes of the snapshot: some 40,000 roles.
    package var snapshot = 2_000_000
    /// Bytes of one targets file, top-level or delegated.
    package var targets = 5_000_000
    /// Root versions that one refresh follows.
    package var rootRotations = 256
    /// Roles that one search for a target visits.
    package var visitedRoles = 32

    package static let standard = Limits()

    package init() {}

    // Arrays and objects inside one another; the deepest place that the specification knows is 7.
    static let depth = 16
    static let values = 1_000_000
    static let keys = 16_384
    // Bytes of a public key's text: RSA of 16384 bits has some 3,000.
    static let pem = 8_192
    static let keysPerRole = 1_024
    static let signatures = 1_024
    static let roles = 65_536
    static let pathsPerRole = 4_096
    static let targetsPerRole = 100_000

    /// Bytes of a role's file where nothing signed says its length.
    package func bytes(of role: RoleName) -> Int {
        switch role {
        case .root: root
        case .timestamp: timestamp
        case .snapshot: snapshot
        default: targets
        }
    }
}
