import AgentCore
import AgentJournal
import Cryptography
import FieldfareAgent
import PosixFiles
import Primitives
import SlotHost
import TUF

/// A device's real parts on a real disk, opened in the order in which the agent opens them.
final class DiskParts {
    let folder: String
    let state: StateDirectory
    let journal: Journal
    let slots: SlotFolder
    let metadata: MetadataFolder
    let targets: TargetFolder
    private let lock: FileLock

    /// - Parameters:
    ///   - folder: the story's own; the state directory is made in it, and `root.json` is there already.
    ///   - device: whose enrolment is remembered.
    ///   - now: the story's time, for the root of trust.
    ///   - clock: what lease deadlines are measured with.
    ///   - witness: sees the key and the enrolment once they are durable.
    /// - Throws: what the parts throw.
    init(
        in folder: String, device: DeviceID, at now: UTCTime,
        clock: @escaping @Sendable () -> UTCTime, witness: any Witnessing
    ) throws {
        self.folder = folder
        state = try StateDirectory(Self.state(in: folder), observer: Effects.all)
        guard let lock = try state.lock() else { throw StoryError("the lock is taken") }
        self.lock = lock
        try state.removeTemporaries()
        let slotsFolder = try state.folder("slots", mode: .shared)
        try state.installRoot(from: TrustedRootFile(path: Self.root(in: folder)), at: now)
        slots = try SlotFolder(slotsFolder, leaseDeadline: 300, clock: clock)
        let key = try state.keys.key()
        witness.see(.key(SHA256.digest(of: key.publicKey.bytes)))
        journal = try Journal(in: state.folder, vfs: Effects.vfs)
        if try state.enrolledDevice() != device {
            try state.remember(enrolmentOf: device, at: "https://registry.example")
        }
        witness.see(.enrolled)
        metadata = MetadataFolder(try state.folder("metadata"))
        targets = TargetFolder(try state.folder("targets"))
        guard journal.damage == nil else {
            throw StoryError("the journal was damaged: \(journal.damage ?? "")")
        }
    }

    static func state(in folder: String) -> String { folder + "/state" }
    static func root(in folder: String) -> String { folder + "/root.json" }
}

/// What was not as the story says.
package struct StoryError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
