import PosixFiles
import Primitives

/// Since when the disk has failed to read the journal, over starts: the time of an empty file beside it.
struct UnreadMark {
    static let fileName = "journal.unread"
    /// Seconds for which a disk may fail to read it before that is damage: as long as it may with a slot.
    static let patience: Int64 = 3_600

    private let directory: Directory
    private let path: TargetPath

    init(in directory: Directory) {
        self.directory = directory
        guard let path = TargetPath(Self.fileName) else { preconditionFailure(Self.fileName) }
        self.path = path
    }

    /// Whether it has failed for so long; the first who asks begins to count.
    ///
    /// Where the disk does not tell, it has not.
    func isOld(at now: UTCTime) -> Bool {
        do throws(FileError) {
            if let mark = try directory.status(path) {
                let since = UTCTime(clamping: mark.modifiedNanoseconds / 1_000_000_000)
                return now - since >= Self.patience
            }
            _ = try directory.open(path, .makingIfMissing(.ownerOnly))
        } catch {}
        return false
    }

    /// It can be read, or is another.
    func remove() {
        guard (try? directory.status(path)) != nil else { return }
        _ = try? directory.removeFile(path)
    }
}
