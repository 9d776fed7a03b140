import AgentCore
package import PosixFiles
package import Primitives
import TUF

/// The agent's state directory: who may use it, and what lies where.
///
///     agent.lock        held by the one agent that runs here
///     device.key        the device's Ed25519 key, mode 0600
///     enrolment.json    the registry's answer to the enrolment
///     journal.db        machine, observation and report queue
///     journal.reserve   room that the journal has on a full disk
///     journal.unread    since when the disk has failed to read the journal
///     memory.json       what must not be forgotten where the journal is lost
///     metadata/         trusted TUF metadata, one file a role
///     targets/          verified manifests, policies and plans, by digest
///     slots/            the two slots and the `current` link
package struct StateDirectory: Sendable {
    package let folder: Directory

    static let enrolmentName = "enrolment.json"
    static let metadataName = "metadata"
    static let targetsName = "targets"

    /// Opens the directory, made where it is missing.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - observer: in tests, sees every system call made below this directory.
    /// - Throws: `AgentError` with `.storage`.
    package init(
        _ path: String, observer: (any SyscallObserving)? = nil
    ) throws(AgentError) {
        do {
            folder = try Directory(making: path, mode: .ownerOnly, observer: observer)
        } catch {
            throw AgentError(
                .storage, "state directory '\(path)': \(error)",
                hint: "let 'state_directory' name a folder that the agent's user may write")
        }
    }

    /// The directory that is open already.
    init(opened folder: Directory) { self.folder = folder }

    /// Whether a root of trust is held at this path; makes nothing, and takes what cannot be read for none.
    static func holdsRoot(_ path: String) -> Bool {
        guard let name = TargetPath(metadataName),
            let folder = try? Directory(opening: path).directory(name)
        else { return false }
        let held = try? MetadataFolder(folder).load(
            MetadataFileName(.root), limit: Limits.standard.root)
        return held != nil
    }

    /// A folder in it, made where it is missing.
    package func folder(
        _ name: String, mode: FileMode = .ownerOnly
    ) throws(FileError) -> Directory {
        try folder.makeFolders(Self.path(name), mode: mode)
    }

    /// The lock of the one agent that runs here; nil where another holds it.
    package func lock() throws(FileError) -> FileLock? {
        try folder.tryLock(Self.path("agent.lock"), .exclusive)
    }

    /// Removes what writes that were cut short have left here, and in the folders of metadata and targets.
    ///
    /// For who holds the lock; the slots' folder clears itself. An enrolment beside it, which needs no lock, may lose the
    /// file that it is writing: it then fails, and can be repeated.
    package func removeTemporaries() throws(FileError) {
        try folder.removeTemporaries()
        for name in [Self.metadataName, Self.targetsName] {
            try self.folder(name).removeTemporaries()
        }
    }

    /// Where the device's key comes from: the file beside the rest.
    ///
    /// Another provider would be chosen here.
    package var keys: some KeyProviding { DeviceKeyFile(folder) }

    /// The device that the registry enrolled under this key; nil before.
    package func enrolledDevice() throws(FileError) -> DeviceID? {
        guard
            let bytes = try folder.readIfPresent(Self.path(Self.enrolmentName), limit: 4_096),
            let json = try? JSON(parsing: bytes, limit: 4_096)
        else { return nil }
        return json["device"]?.string.flatMap { DeviceID($0) }
    }

    /// Remembers an enrolment, durably.
    package func remember(enrolmentOf device: DeviceID, at registry: String) throws(FileError) {
        let json: JSON = [
            "schema": "fieldfare.enrolled/1", "device": .string(device.description),
            "registry": .string(registry),
        ]
        try folder.replace(
            Self.path(Self.enrolmentName), with: json.prettyBytes, mode: .ownerOnly)
    }

    /// Installs the root of trust that came with the device, where none is trusted yet.
    package func installRoot(from file: TrustedRootFile, at now: UTCTime) throws(AgentError) {
        let name = MetadataFileName(.root)
        do throws(FileError) {
            let store = MetadataFolder(try folder(Self.metadataName))
            guard try store.load(name, limit: Limits.standard.root) == nil else { return }
        } catch { throw AgentError("trusted metadata", error) }
        let bytes = try file.read(at: now)
        do throws(FileError) {
            try MetadataFolder(try folder(Self.metadataName)).store(bytes, as: name)
        } catch { throw AgentError("trusted metadata", error) }
    }

    private static func path(_ name: String) -> TargetPath {
        guard let path = TargetPath(name) else { preconditionFailure("a name of ours: \(name)") }
        return path
    }
}
