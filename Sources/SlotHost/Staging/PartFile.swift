import PosixFiles
import Primitives

/// A file of which some chunks are there; its length and their digests say which.
///
/// Written chunks become durable every 16 MiB and every second, so that a power cut costs no more than that to fetch again.
final class PartFile {
    private static let syncBytes = 16 << 20
    private static let syncNanoseconds: Int64 = 1_000_000_000

    let file: OpenFile
    private var unsyncedBytes = 0
    private var lastSync = SystemClock.monotonicNanoseconds()

    init(_ file: OpenFile) { self.file = file }

    func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
        try file.write(bytes, at: offset)
        unsyncedBytes += bytes.count
        let now = SystemClock.monotonicNanoseconds()
        if unsyncedBytes >= Self.syncBytes || now - lastSync >= Self.syncNanoseconds {
            try sync()
        } else {
            try file.beginWriteback(offset..<(offset + Int64(bytes.count)))
        }
    }

    func sync() throws(FileError) {
        try file.sync()
        unsyncedBytes = 0
        lastSync = SystemClock.monotonicNanoseconds()
    }
}
