package import Cryptography
import PosixFiles
import Primitives

/// Where the device's key comes from, and what signs with it.
///
/// The key is the device's identity: who loses it is a new device to the registry (docs/agent.md).
package protocol KeyProviding: Sendable {
    /// The key; nil where nobody has made it yet.
    ///
    /// - Throws: `AgentError` with `.storage` or `.key`.
    func existingKey() throws(AgentError) -> (any DeviceSigning)?

    /// The key; made, durably, by the first who asks.
    ///
    /// - Throws: `AgentError` with `.storage` or `.key`.
    func key() throws(AgentError) -> any DeviceSigning
}

/// The key in a file of the state directory, mode 0600 (docs/formats/key-file.md).
package struct DeviceKeyFile: KeyProviding {
    static let name = "device.key"

    private let folder: Directory
    private let path: TargetPath

    init(_ folder: Directory) {
        guard let path = TargetPath(Self.name) else {
            preconditionFailure("a name of ours: \(Self.name)")
        }
        self.folder = folder
        self.path = path
    }

    package func existingKey() throws(AgentError) -> (any DeviceSigning)? {
        let bytes: [UInt8]?
        do { bytes = try folder.readIfPresent(path, limit: KeyFile.byteLimit) } catch {
            throw AgentError("the device's key", error)
        }
        do { return try bytes.map { try KeyFile(parsing: $0).open(passphrase: nil) } } catch {
            throw AgentError(
                .key, "the device's key: \(error)",
                hint: "put '\(Self.name)' back, or move it away and enrol the device as a new one")
        }
    }

    package func key() throws(AgentError) -> any DeviceSigning {
        if let key = try existingKey() { return key }
        var random = SystemRandom()
        let key = Ed25519PrivateKey(using: &random)
        let file = KeyFile(plain: key, name: "device")
        do { try folder.publish(path, file.bytes, mode: .ownerOnly) } catch {
            // A second process that came first keeps its key, and ours is forgotten.
            guard case .differs = error else { throw AgentError("the device's key", error) }
            return try self.key()
        }
        return key
    }
}
