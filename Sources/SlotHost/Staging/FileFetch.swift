import AgentCore
import ModelBundle
import PosixFiles
import Primitives

/// Brings one file together: chunks that an earlier call left, chunks of other files, and the rest from the network.
struct FileFetch {
    private let file: ManifestFile
    let part: PartFile
    private let source: any Fetching
    private let stop: Interrupt
    private(set) var fetchedBytes: Int64 = 0
    private(set) var reusedBytes: Int64 = 0
    /// What an interrupted call left of a chunk that was arriving; nobody has checked it.
    private var head: (chunk: Int, bytes: [UInt8])?

    init(
        _ file: ManifestFile, into part: PartFile, from source: any Fetching, until stop: Interrupt
    ) {
        self.file = file
        self.part = part
        self.source = source
        self.stop = stop
    }

    /// Fetches chunks that are missing, and makes the whole file durable.
    ///
    /// - Throws: `.wrongBytes` where the source sends other bytes twice; then none of those are kept. After `.fetch` and
    ///   `.interrupted`, what has come is kept, durably, to go on from.
    mutating func run(_ missing: [Int]) throws(SlotError) {
        if let (index, range) = try head(among: missing) { try keepHead(of: index, range) }
        for var chunks in Self.runs(of: missing) {
            while !chunks.isEmpty { chunks = try receive(chunks)..<chunks.upperBound }
        }
        try onDisk { () throws(FileError) in try part.sync() }
    }

    // MARK: What is there

    /// The chunks that only the network has; takes those that other files have.
    mutating func missingChunks(using donors: inout DonorChunks) throws(SlotError) -> [Int] {
        let size = try onDisk { () throws(FileError) in try part.file.size() }
        var hasher = FileHasher(until: stop)
        var missing: [Int] = []
        for (index, digest) in file.chunks.enumerated() {
            let range = file.range(ofChunk: index)
            if range.upperBound <= size, try hasher.digest(of: part.file, range) == digest {
                reusedBytes += Int64(range.count)
            } else if let bytes = try donors.chunk(
                digest, length: Int64(range.count), until: stop)
            {
                try onDisk { () throws(FileError) in
                    try part.write(bytes, at: range.lowerBound)
                }
                reusedBytes += Int64(range.count)
            } else {
                missing.append(index)
            }
        }
        return missing
    }

    /// The bytes that the source must send for chunks that are missing.
    func bytes(of missing: [Int]) throws(SlotError) -> Int64 {
        let chunks = missing.reduce(Int64(0)) { $0 + Int64(file.range(ofChunk: $1).count) }
        return chunks - Int64(try head(among: missing)?.range.count ?? 0)
    }

    /// The chunk that an interrupted call was receiving, with where its bytes lie.
    private func head(
        among missing: [Int]
    ) throws(SlotError) -> (index: Int, range: Range<Int64>)? {
        let size = try onDisk { () throws(FileError) in try part.file.size() }
        for index in missing {
            let range = file.range(ofChunk: index)
            if (range.lowerBound + 1..<range.upperBound).contains(size) {
                return (index, range.lowerBound..<size)
            }
        }
        return nil
    }

    private mutating func keepHead(of index: Int, _ range: Range<Int64>) throws(SlotError) {
        head = (index, try onDisk { () throws(FileError) in try part.file.read(range) })
        reusedBytes += Int64(range.count)
    }

    /// The numbers as ranges of neighbours, each of which is one request.
    static func runs(of chunks: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for chunk in chunks {
            if let last = runs.last, last.upperBound == chunk {
                runs[runs.count - 1] = last.lowerBound..<(chunk + 1)
            } else {
                runs.append(chunk..<(chunk + 1))
            }
        }
        return runs
    }

    // MARK: What comes

    /// Receives chunks with one request, and one of them once more where it came wrong.
    ///
    /// - Returns: the first chunk that is still to come.
    private mutating func receive(_ chunks: Range<Int>) throws(SlotError) -> Int {
        guard let wrong = try request(chunks) else { return chunks.upperBound }
        try forgetHead(of: wrong.index)
        if let again = try request(wrong.index..<(wrong.index + 1)) {
            throw .wrongBytes(
                path: file.path, expected: file.chunks[wrong.index], found: again.digest)
        }
        return wrong.index + 1
    }

    /// Makes one request; nil when all of it came and was right.
    private mutating func request(
        _ chunks: Range<Int>
    ) throws(SlotError) -> (index: Int, digest: SHA256Digest)? {
        let first = file.range(ofChunk: chunks.lowerBound)
        let end = file.range(ofChunk: chunks.upperBound - 1).upperBound
        let held = head.flatMap { $0.chunk == chunks.lowerBound ? $0.bytes : nil } ?? []
        var receiver = ChunkReceiver(file, into: part, chunks: chunks, after: held)
        let range = (first.lowerBound + Int64(held.count))..<end
        var failure: FetchError?
        do {
            try source.blob(file.sha256, range: range, until: stop) { receiver.take($0) }
        } catch {
            failure = error
        }
        fetchedBytes += receiver.receivedBytes
        switch receiver.refusal {
        case .wrongChunk(let index, let found): return (index, found)
        case .tooManyBytes: throw .fetch(.tooLong(limit: Int64(range.count)))
        case .disk(let error): throw SlotError(error)
        case nil: break
        }
        guard failure == nil, receiver.isComplete else {
            try keep(receiver.pending, of: receiver.index)
            throw Self.error(failure, range, receiver.receivedBytes)
        }
        return nil
    }

    private static func error(
        _ failure: FetchError?, _ range: Range<Int64>, _ count: Int64
    ) -> SlotError {
        switch failure {
        case .interrupted: .interrupted
        case let failure?: .fetch(failure)
        case nil: .fetch(.malformed("blob: expected \(range.count) bytes, got \(count)"))
        }
    }

    /// Keeps what came of a chunk behind the chunks that are there, so that the next call asks for the rest only.
    private func keep(_ bytes: [UInt8], of index: Int) throws(SlotError) {
        try onDisk { () throws(FileError) in
            if index < file.chunks.count, !bytes.isEmpty {
                let start = file.range(ofChunk: index).lowerBound
                // Where a later chunk is there, the file's length cannot tell how much came of this one.
                if try part.file.size() < start + Int64(bytes.count) {
                    try part.file.write(bytes, at: start)
                }
            }
            try part.sync()
        }
    }

    /// Removes the unchecked bytes of a chunk that came wrong.
    private mutating func forgetHead(of index: Int) throws(SlotError) {
        head = nil
        let range = file.range(ofChunk: index)
        try onDisk { () throws(FileError) in
            let size = try part.file.size()
            guard range.lowerBound < size, size < range.upperBound else { return }
            try part.file.truncate(to: range.lowerBound)
            try part.file.reserve(file.length)
        }
    }
}
