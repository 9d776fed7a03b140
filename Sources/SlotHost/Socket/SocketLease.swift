import CPosixShims
package import Primitives

/// A model that the agent has lent over its socket, until this object goes: nobody touches its files meanwhile.
package final class SocketLease: Sendable {
    /// `a` or `b`.
    package let slot: String
    /// The absolute folder of the bundle: `manifest.json`, and every file at its path beside it.
    package let path: String
    package let version: SemanticVersion
    package let manifestSHA256: SHA256Digest
    /// Seconds that the application has to let go once another version is active.
    package let deadline: Int64
    private let descriptor: ReceivedDescriptor

    init(
        _ answer: JSON, holding descriptor: ReceivedDescriptor
    ) throws(AgentClientError) {
        self.descriptor = descriptor
        do {
            var fields = try Fields(answer)
            slot = try fields.string("slot", limit: 1)
            path = try fields.string("path", limit: 4_096)
            version = try fields.parse("version", SemanticVersion.expected) { SemanticVersion($0) }
            manifestSHA256 = try fields.parse("manifest_sha256", "64 hexadecimal digits") {
                SHA256Digest(hex: $0)
            }
            deadline = try fields.integer("deadline_s", in: 0...Int64.max)
        } catch {
            throw .malformed("lease: \(error)")
        }
    }
}

/// A descriptor that came over a socket; closed with its owner.
final class ReceivedDescriptor: Sendable {
    private let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { _ = cposix_close(number) }
}
