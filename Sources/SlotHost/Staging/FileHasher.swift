import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Hashes files in pieces of 1 MiB, and stops soon after the interrupt is set.
struct FileHasher {
    private let stop: Interrupt
    private var buffer: [UInt8]

    init(until stop: Interrupt) {
        self.stop = stop
        buffer = [UInt8](repeating: 0, count: 1 << 20)
    }

    /// The digest of a range; nil where the file ends before it or cannot be read there.
    ///
    /// - Throws: `.interrupted`, or `.system` for a trouble that says nothing about the bytes.
    mutating func digest(
        of file: OpenFile, _ range: Range<Int64>
    ) throws(SlotError) -> SHA256Digest? {
        var hash = SHA256()
        var offset = range.lowerBound
        while offset < range.upperBound {
            if stop.isSet { throw .interrupted }
            let most = Int(min(range.upperBound - offset, Int64(buffer.count)))
            guard let count = try read(file, at: offset), count > 0 else { return nil }
            hash.update(buffer[..<min(count, most)])
            offset += Int64(min(count, most))
        }
        return hash.finish()
    }

    /// Whether a file is there, has this length, and meets its digest.
    mutating func file(
        _ folder: Directory, _ path: TargetPath, meets digest: SHA256Digest, length: Int64
    ) throws(SlotError) -> Bool {
        guard let file = try Self.open(folder, path, length: length) else { return false }
        return try self.digest(of: file, 0..<length) == digest
    }

    /// A regular file of this length, open for reading; nil where there is none.
    static func open(
        _ folder: Directory, _ path: TargetPath, length: Int64
    ) throws(SlotError) -> OpenFile? {
        do throws(FileError) {
            let file = try folder.open(path, .reading)
            return try file.size() == length ? file : nil
        } catch {
            if error.meansRot { return nil }
            throw SlotError(error)
        }
    }

    private mutating func read(_ file: OpenFile, at offset: Int64) throws(SlotError) -> Int? {
        do { return try file.read(into: &buffer, at: offset) } catch {
            if error.meansRot { return nil }
            throw SlotError(error)
        }
    }
}
