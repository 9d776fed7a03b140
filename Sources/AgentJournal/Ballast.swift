import PosixFiles
import Primitives

/// Room on the disk that belongs to the journal: a file that is given up when a commit finds none.
///
/// It is what lets a device with a full disk go back, and remember that it did. Its blocks are reserved, not written;
/// a file system that cannot reserve has none to give. For one thread.
struct Ballast {
    static let fileName = "journal.reserve"
    /// Bytes: more than a journal grows by until its queue of reports is at its bound.
    static let byteCount: Int64 = 4 << 20

    private let directory: Directory
    private let path: TargetPath
    private(set) var isThere = false

    /// Takes the room, where there is some.
    init(in directory: Directory) {
        self.directory = directory
        guard let path = TargetPath(Self.fileName) else { preconditionFailure(Self.fileName) }
        self.path = path
        refill()
    }

    /// Takes the room again; a disk that has none is tried at the next commit.
    mutating func refill() {
        guard !isThere else { return }
        do throws(FileError) {
            let file = try directory.open(path, .makingIfMissing(.ownerOnly))
            try file.reserve(Self.byteCount, extending: true)
            isThere = true
        } catch { _ = try? directory.removeFile(path) }
    }

    /// Gives the room to whoever writes next; false where there was none to give.
    mutating func giveUp() -> Bool {
        isThere = false
        // A file that cannot be removed may have been cut all the same.
        return (try? directory.removeFile(path)) ?? false
    }
}
