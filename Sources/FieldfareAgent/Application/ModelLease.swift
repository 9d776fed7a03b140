import AgentCore
import PosixFiles
import Primitives
import Rollouts
import SlotHost

/// A model that an application may use: while this object lives, nobody touches the model's files.
///
/// Load the new model, acknowledge it, and only then let the old lease go by dropping the last reference to it.
/// A lease outlives the agent: it is a lock on an open file, which the kernel drops with the process.
public final class ModelLease: Sendable {
    /// The slot: `a` or `b`.
    public let slot: String
    /// The absolute folder of the bundle: `manifest.json`, and every file at its path beside it.
    public let path: String
    /// The bundle's version, such as `1.4.0`.
    public let version: String
    /// SHA-256 of the bundle's manifest, in 64 hexadecimal digits.
    public let manifestSHA256: String
    /// Seconds in which to let go once another version is active; nil for a direct lease, which no agent gave.
    public let deadlineSeconds: Int?
    /// What holds the lock.
    private let hold: any Sendable

    init(_ lease: SocketLease) {
        slot = lease.slot
        path = lease.path
        version = lease.version.description
        manifestSHA256 = lease.manifestSHA256.hex
        deadlineSeconds = Int(clamping: lease.deadline)
        hold = lease
    }

    private init(_ lease: SlotLease) {
        slot = lease.slot.rawValue
        path = lease.path
        version = lease.bundle.version.description
        manifestSHA256 = lease.bundle.sha256.hex
        deadlineSeconds = nil
        hold = lease
    }

    /// Leases the active model without an agent: while it is updated, or cannot start.
    ///
    /// It makes, changes and removes nothing; the caller's user needs to read the folder. Nobody sees such a lease as
    /// the application's, so ask a running agent wherever there is one.
    ///
    /// - Parameter folder: the folder `slots` of the agent's state directory.
    /// - Returns: the lease; nil where the device has no model to use.
    /// - Throws: `AgentError` with `storage`.
    public static func direct(in folder: String) throws(AgentError) -> ModelLease? {
        let slots: Directory
        do { slots = try Directory(opening: folder) } catch { throw AgentError("lease", error) }
        do { return try SlotReader(slots).lease().map { ModelLease($0) } } catch {
            throw AgentError(.storage, "lease: \(error)")
        }
    }
}
