import CPosixShims
import Glibc

/// A file descriptor, closed when its last owner is gone.
package final class Descriptor: Sendable {
    let number: Int32

    /// Whether all descriptors from a number on, whoever opened them, now close where another program starts.
    package static func closeOnExec(from number: UInt32) -> Bool {
        cposix_close_on_exec_from(number) == 0
    }

    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        _ = cposix_close(number)
    }
}

/// An open regular file, read and written at explicit offsets, from several threads if need be.
///
/// Interrupted and short calls are continued. Nothing is durable before `sync()` returns, nor is its name before
/// the folder is synced.
package final class OpenFile: Sendable {
    package let path: String
    let handle: Descriptor
    let calls: SystemCalls

    init(_ handle: Descriptor, path: String, calls: SystemCalls) {
        self.handle = handle
        self.path = path
        self.calls = calls
    }

    /// The descriptor's number, to lend to a C library; valid while this object lives.
    package var descriptor: Int32 { handle.number }

    /// A call that is to move `count` bytes from `start` on.
    private func call(_ operation: FileOperation, at start: Int64, _ count: Int) -> Syscall {
        Syscall(operation, path, range: start..<(start + Int64(count)))
    }

    /// What the file system says about it now.
    package func status() throws(FileError) -> FileStatus {
        var status = cposix_status()
        try calls.make(Syscall(.status, path)) { unsafe cposix_status_of(handle.number, &status) }
        return FileStatus(status)
    }

    /// Its length in bytes.
    package func size() throws(FileError) -> Int64 { try status().size }

    /// Fills the buffer from `offset` on, and returns how many bytes there were: fewer only at the file's end.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let start = offset + Int64(done)
            let count = try calls.transfer(
                call(.read, at: start, rest.count), count: rest.count
            ) { most in
                unsafe cposix_pread(handle.number, rest.baseAddress, most, start)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// As `read(into:at:)`, but only what the page cache holds.
    ///
    /// - Returns: nil where a part would have to wait for the disk, or where the file system cannot tell
    ///   (`preadv2` with `RWF_NOWAIT`: `EAGAIN`, `EOPNOTSUPP`).
    package func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileError) -> Int? {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let start = offset + Int64(done)
            let count: Int
            do {
                count = try calls.transfer(
                    call(.read, at: start, rest.count), count: rest.count
                ) { most in
                    unsafe cposix_pread_nowait(handle.number, rest.baseAddress, most, start)
                }
            } catch .system(.read, _, EAGAIN), .system(.read, _, EOPNOTSUPP) {
                return nil
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// As `read(into:at:)`, at most so many bytes, into an array that keeps its count.
    package func read(
        into bytes: inout [UInt8], atMost most: Int = .max, at offset: Int64
    ) throws(FileError) -> Int {
        try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(FileError) -> Int in
            let part = unsafe UnsafeMutableRawBufferPointer(buffer).prefix(most)
            return try unsafe read(
                into: UnsafeMutableRawBufferPointer(rebasing: part), at: offset)
        }
    }

    /// Exactly the bytes of the range.
    ///
    /// - Throws: `.short` where the file ends before it.
    package func read(_ range: Range<Int64>) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = try read(into: &bytes, at: range.lowerBound)
        guard count == bytes.count else {
            throw .short(path: path, expected: Int64(range.count), found: Int64(count))
        }
        return bytes
    }

    /// Writes all bytes at `offset`; the file grows as needed.
    package func write(_ bytes: RawSpan, at offset: Int64) throws(FileError) {
        try unsafe bytes.withUnsafeBytes { (buffer) throws(FileError) in
            var done = 0
            while done < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                let start = offset + Int64(done)
                done += try calls.transfer(
                    call(.write, at: start, rest.count), count: rest.count
                ) { most in
                    unsafe cposix_pwrite(handle.number, rest.baseAddress, most, start)
                }
            }
        }
    }

    /// As `write(_:at:)`, from an array.
    package func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
        try unsafe write(bytes.span.bytes, at: offset)
    }

    /// Writes at the present end and returns the new length; for one writer at a time.
    @discardableResult
    package func append(_ bytes: [UInt8]) throws(FileError) -> Int64 {
        let end = try size()
        try write(bytes, at: end)
        return end + Int64(bytes.count)
    }

    /// Cuts or extends the file to `size` bytes; what is added reads as zeros.
    package func truncate(to size: Int64) throws(FileError) {
        try calls.make(call(.truncate, at: 0, Int(size))) { cposix_truncate(handle.number, size) }
    }

    /// Takes everybody's permission to write it (`0444`); handles that are open for writing stay so.
    package func makeReadOnly() throws(FileError) {
        try calls.make(Syscall(.chmod, path)) {
            cposix_chmod(handle.number, FileMode.readOnly.fileBits)
        }
    }

    /// Makes bytes and length durable.
    package func sync() throws(FileError) {
        try calls.make(Syscall(.sync, path)) { cposix_fsync(handle.number) }
    }

    /// Starts writing a range to the disk without waiting, so that a later `sync()` has less to do.
    ///
    /// Makes nothing durable by itself.
    package func beginWriteback(_ range: Range<Int64>) throws(FileError) {
        try calls.make(Syscall(.writeback, path, range: range)) {
            cposix_begin_writeback(handle.number, range.lowerBound, Int64(range.count))
        }
    }

    /// Reserves disk blocks for the first `length` bytes, or for those from `start` on, so that writing them cannot run out of space.
    ///
    /// Where the file system cannot reserve, the free space is compared instead, which holds nothing.
    ///
    /// - Parameters:
    ///   - length: bytes from the start of the file.
    ///   - start: those before it are left as they are.
    ///   - extending: whether the file then also has that length; otherwise its length stays.
    /// - Throws: `.insufficientStorage` where there is no room; nothing stays reserved past the file's end.
    package func reserve(
        _ length: Int64, from start: Int64 = 0, extending: Bool = false
    ) throws(FileError) {
        guard length > start else { return }
        let before = try status()
        do {
            try calls.make(call(.reserve, at: start, Int(length - start))) {
                cposix_reserve(handle.number, start, length - start, !extending)
            }
        } catch .system(.reserve, _, EOPNOTSUPP) {
            try compareFreeSpace(with: length - before.allocatedBytes)
            if extending, before.size < length { try truncate(to: length) }
        } catch {
            // A failed fallocate may keep the blocks it got; cutting to the old size gives them back.
            if error.isOutOfSpace { try truncate(to: before.size) }
            throw error
        }
    }

    /// Gives the disk blocks of a range back; it reads as zeros then, and the length stays.
    ///
    /// - Returns: false where the file system cannot, and nothing has changed.
    package func punch(_ range: Range<Int64>) throws(FileError) -> Bool {
        do {
            try calls.make(Syscall(.punch, path, range: range)) {
                cposix_punch(handle.number, range.lowerBound, Int64(range.count))
            }
            return true
        } catch .system(.punch, _, EOPNOTSUPP) {
            return false
        }
    }

    private func compareFreeSpace(with need: Int64) throws(FileError) {
        let free = try calls.make(Syscall(.space, path)) { cposix_free_bytes(handle.number) }
        guard free >= need else {
            throw .insufficientStorage(.reserve, path: path, errno: ENOSPC)
        }
    }
}
