package import Primitives

/// Small verified targets kept by digest between polls, so that a policy or manifest is fetched once.
///
/// What it returns is hashed again by the caller; losing it costs a download and nothing else.
package protocol TargetCaching: Sendable {
    /// The bytes under a digest, or nil where there are none, they cannot be read, or they exceed `limit`.
    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]?

    /// Keeps bytes under their digest; best effort.
    func keep(_ bytes: [UInt8], as digest: SHA256Digest)

    /// Forgets all but these; best effort.
    func retain(only digests: Set<SHA256Digest>)
}
