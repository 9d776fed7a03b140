import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Takes the bytes of consecutive chunks as they arrive, and writes each chunk once it meets its digest.
///
/// Bytes that were not checked are in memory only, at most a chunk of them.
struct ChunkReceiver {
    /// Why it takes no more.
    enum Refusal {
        case wrongChunk(index: Int, found: SHA256Digest)
        case tooManyBytes
        case disk(FileError)
    }

    private let file: ManifestFile
    private let part: PartFile
    private let end: Int
    /// The chunk that is arriving.
    private(set) var index: Int
    /// What has come of it.
    private(set) var pending: [UInt8]
    private(set) var receivedBytes: Int64 = 0
    private(set) var refusal: Refusal?

    /// - Parameters:
    ///   - file: what the manifest says of the file.
    ///   - part: where its chunks are written.
    ///   - chunks: those that are to come.
    ///   - head: what is there of the first one already, unchecked.
    init(_ file: ManifestFile, into part: PartFile, chunks: Range<Int>, after head: [UInt8]) {
        self.file = file
        self.part = part
        end = chunks.upperBound
        index = chunks.lowerBound
        pending = head
        pending.reserveCapacity(Int(min(ManifestFile.chunkLength, file.length)))
    }

    var isComplete: Bool { index == end }

    /// Takes the next bytes; false where there is no use in more.
    mutating func take(_ bytes: RawSpan) -> Bool {
        receivedBytes += Int64(bytes.byteCount)
        var offset = 0
        while offset < bytes.byteCount {
            guard !isComplete else {
                refusal = .tooManyBytes
                return false
            }
            let range = file.range(ofChunk: index)
            let count = min(range.count - pending.count, bytes.byteCount - offset)
            unsafe bytes.extracting(offset..<(offset + count)).withUnsafeBytes {
                unsafe pending.append(contentsOf: $0)
            }
            offset += count
            if pending.count == range.count, !keepChunk(at: range.lowerBound) { return false }
        }
        return true
    }

    private mutating func keepChunk(at offset: Int64) -> Bool {
        let found = SHA256.digest(of: pending)
        guard found == file.chunks[index] else {
            refusal = .wrongChunk(index: index, found: found)
            return false
        }
        do { try part.write(pending, at: offset) } catch {
            refusal = .disk(error)
            return false
        }
        pending.removeAll(keepingCapacity: true)
        index += 1
        return true
    }
}
