import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Hashes files in pieces of 256 KiB, and stops soon after the interrupt is set.
struct FileHasher {
    private let stop: Interrupt
    private let throwsReadErrors: Bool
    private var buffer: [UInt8]

    /// - Parameters:
    ///   - stop: ends it.
    ///   - throwsReadErrors: whether what the disk cannot read is thrown, and not taken for bytes that are gone.
    init(until stop: Interrupt, throwingReadErrors throwsReadErrors: Bool = false) {
        self.stop = stop
        self.throwsReadErrors = throwsReadErrors
        buffer = [UInt8](repeating: 0, count: 256 << 10)
    }

    /// The digest of a range; nil where the file ends before it or cannot be read there.
    ///
    /// - Throws: `.interrupted`, or `.system` for a trouble that says nothing about the bytes.
    mutating func digest(
        of file: OpenFile, _ range: Range<Int64>
    ) throws(SlotError) -> SHA256Digest? {
        var hash = SHA256()
        return try feed(&hash, with: file, range) ? hash.finish() : nil
    }

    /// Takes a range into a digest; false where the file ends before it or cannot be read there.
    ///
    /// - Throws: as `digest(of:_:)`.
    mutating func feed(
        _ hash: inout SHA256, with file: OpenFile, _ range: Range<Int64>
    ) throws(SlotError) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            if stop.isSet { throw .interrupted }
            let most = Int(min(range.upperBound - offset, Int64(buffer.count)))
            guard let count = try read(file, most, at: offset), count > 0 else { return false }
            hash.update(buffer[..<count])
            offset += Int64(count)
        }
        return true
    }

    /// Whether a file is there, has this length, and meets its digest.
    mutating func file(
        _ folder: Directory, _ path: TargetPath, meets digest: SHA256Digest, length: Int64
    ) throws(SlotError) -> Bool {
        let opened = try Self.open(
            folder, path, length: length, throwingReadErrors: throwsReadErrors)
        guard let file = opened else { return false }
        return try self.digest(of: file, 0..<length) == digest
    }

    /// A regular file of this length, open for reading; nil where there is none.
    static func open(
        _ folder: Directory, _ path: TargetPath, length: Int64,
        throwingReadErrors throwsReadErrors: Bool = false
    ) throws(SlotError) -> OpenFile? {
        do throws(FileError) {
            let file = try folder.open(path, .reading)
            return try file.size() == length ? file : nil
        } catch {
            if error.meansRot || error.isReadError && !throwsReadErrors { return nil }
            throw SlotError(error)
        }
    }

    /// Reads at most so many bytes, and nothing behind them: of a file on its way, that may be a hole.
    private mutating func read(
        _ file: OpenFile, _ most: Int, at offset: Int64
    ) throws(SlotError) -> Int? {
        do { return try file.read(into: &buffer, atMost: most, at: offset) } catch {
            if error.meansRot || error.isReadError && !throwsReadErrors { return nil }
            throw SlotError(error)
        }
    }
}
