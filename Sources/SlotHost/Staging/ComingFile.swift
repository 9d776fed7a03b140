import AgentCore
import ModelBundle
import PosixFiles
import Primitives
import Synchronization

/// A file of which chunks must come: which, what is there of them already, and how far the file is whole from its start.
final class ComingFile: Sendable {
    let file: ManifestFile
    let part: PartFile
    /// The chunks that only the network has, in order.
    let missing: [Int]
    /// Bytes of chunks that are here.
    let reusedBytes: Int64
    /// Of a missing chunk, how many of its first bytes an earlier call has left; nobody has checked them.
    private let heads: [Int: Int64]

    private struct Progress {
        var arrived: Set<Int> = []
        /// How many of `missing` have arrived without one before them that has not.
        var first = 0
    }

    private let progress = Mutex(Progress())

    /// Looks at what an earlier call left, and takes the chunks that other files have.
    init(
        _ file: ManifestFile, into part: PartFile, using donors: inout DonorChunks,
        until stop: Interrupt
    ) throws(SlotError) {
        var hasher = FileHasher(until: stop)
        var missing: [Int] = []
        var heads: [Int: Int64] = [:]
        var reusedBytes: Int64 = 0
        for (index, digest) in file.chunks.enumerated() {
            let range = file.range(ofChunk: index)
            let filled = try onDisk { () throws(FileError) in
                try part.file.filledBytes(of: range)
            }
            let isFull = filled == Int64(range.count)
            if isFull, try hasher.digest(of: part.file, range) == digest {
                reusedBytes += Int64(range.count)
            } else if let bytes = try donors.chunk(
                digest, length: Int64(range.count), until: stop)
            {
                try onDisk { () throws(FileError) in
                    try part.write(bytes, at: range.lowerBound)
                    try part.file.beginWriteback(range)
                    try part.syncIfDue()
                }
                reusedBytes += Int64(range.count)
            } else {
                missing.append(index)
                // Of one that seems full and is wrong, the last block may have been filled in part only.
                let head = isFull ? filled - OpenFile.holeGrain : filled
                if head > 0 { heads[index] = head }
            }
        }
        self.file = file
        self.part = part
        self.missing = missing
        self.heads = heads
        self.reusedBytes = reusedBytes
    }

    /// Bytes that an earlier call left of chunks that must still come.
    var headBytes: Int64 { heads.values.reduce(0, +) }

    /// Bytes that the network must send.
    var neededBytes: Int64 {
        missing.reduce(Int64(0)) { $0 + Int64(file.range(ofChunk: $1).count) } - headBytes
    }

    func head(of chunk: Int) -> Int64 { heads[chunk] ?? 0 }

    /// The missing chunks as ranges of neighbours, each of at most so many; what has a head begins one.
    func runs(atMost longest: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for chunk in missing {
            if let last = runs.last, last.upperBound == chunk, last.count < longest,
                heads[chunk] == nil
            {
                runs[runs.count - 1] = last.lowerBound..<(chunk + 1)
            } else {
                runs.append(chunk..<(chunk + 1))
            }
        }
        return runs
    }

    /// Notes that a chunk has come and met its digest.
    func arrived(_ chunk: Int) {
        progress.withLock { progress in
            progress.arrived.insert(chunk)
            while progress.first < missing.count,
                progress.arrived.remove(missing[progress.first]) != nil
            {
                progress.first += 1
            }
        }
    }

    /// Bytes from the file's start of which every chunk has met its digest.
    var wholeBytes: Int64 {
        let first = progress.withLock { $0.first }
        return first < missing.count
            ? file.range(ofChunk: missing[first]).lowerBound : file.length
    }
}
