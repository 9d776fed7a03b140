import CPosixShims
import Glibc

/// What has been written of a file whose blocks were reserved before.
///
/// Reserved blocks count as a hole until they are written (ext4, XFS, Btrfs, F2FS, tmpfs). A file system that knows of no holes
/// answers as if everything up to the file's end had been written.
extension OpenFile {
    /// The coarsest block or page in which a file system tells data from holes, in bytes.
    package static let holeGrain: Int64 = 64 << 10

    /// Lets reads through this handle touch nothing beyond what they ask for.
    ///
    /// Where the kernel reads ahead into reserved blocks, their zeros count as written from then on (ext4).
    package func readNoFurther() throws(FileError) {
        try calls.make(Syscall(.advise, path)) { cposix_read_no_further(handle.number) }
    }

    /// How many bytes of the range have surely been written, counted from its start.
    ///
    /// Exact at the file's end. Before a hole the last `holeGrain` bytes are left out, since one byte is enough to make a
    /// block data. Whatever wrote there in another order may still have left zeros: a hint, and no proof.
    package func filledBytes(of range: Range<Int64>) throws(FileError) -> Int64 {
        guard let hole = try next(.hole, from: range.lowerBound) else { return 0 }
        if hole >= range.upperBound { return Int64(range.count) }
        let grain = try hole < size() ? Self.holeGrain : 0
        return max(0, hole - range.lowerBound - grain)
    }

    /// How many bytes of the file have been written, in whole blocks where a hole comes after.
    package func writtenBytes() throws(FileError) -> Int64 {
        var bytes: Int64 = 0
        var offset: Int64 = 0
        while let start = try next(.data, from: offset), let end = try next(.hole, from: start) {
            bytes += end - start
            offset = end
        }
        return bytes
    }

    private enum Border {
        case data
        case hole
    }

    /// Where the next data or hole begins at or after `offset`; nil where there is none before the file's end.
    private func next(_ border: Border, from offset: Int64) throws(FileError) -> Int64? {
        do {
            return try calls.make(Syscall(.seek, path)) {
                cposix_seek(handle.number, offset, border == .hole)
            }
        } catch .system(.seek, _, ENXIO) {
            return nil
        } catch .system(.seek, _, EINVAL) {
            let size = try size()
            guard offset < size else { return nil }
            return border == .hole ? size : offset
        }
    }
}
