import AgentCore
import ModelBundle
import PosixFiles
import Primitives

/// Fetches runs of chunks from one source, and each chunk that came wrong once more.
struct ChunkFetch {
    private let source: any Fetching
    private let stop: Interrupt
    private let written: (ComingFile) throws(FileError) -> Void
    private(set) var fetchedBytes: Int64 = 0

    /// - Parameters:
    ///   - source: whom to ask.
    ///   - stop: ends it.
    ///   - written: called after each write into the part file.
    init(
        from source: any Fetching, until stop: Interrupt,
        written: @escaping (ComingFile) throws(FileError) -> Void
    ) {
        self.source = source
        self.stop = stop
        self.written = written
    }

    /// Fetches neighbouring chunks of a file.
    ///
    /// - Throws: `.wrongBytes` where the source sends other bytes twice; then none of those are kept. After all other errors what
    ///   has come is in the part file, to go on from.
    mutating func fetch(_ chunks: Range<Int>, of coming: ComingFile) throws(SlotError) {
        var rest = chunks
        while !rest.isEmpty {
            let head = coming.head(of: rest.lowerBound)
            guard let wrong = try request(rest, of: coming, after: head) else { return }
            // A head that nobody had checked may be to blame: all of the chunk, then.
            let one = wrong.index..<(wrong.index + 1)
            if let again = try request(one, of: coming, after: 0) {
                throw .wrongBytes(
                    path: coming.file.path, expected: coming.file.chunks[wrong.index],
                    found: again.digest)
            }
            rest = one.upperBound..<rest.upperBound
        }
    }

    /// Makes one request; nil when all of it came and was right.
    ///
    /// - Returns: the chunk that came wrong, of which the part file has nothing any more.
    private mutating func request(
        _ chunks: Range<Int>, of coming: ComingFile, after head: Int64
    ) throws(SlotError) -> (index: Int, digest: SHA256Digest)? {
        let written = written
        let receiver = ChunkReceiver(coming, chunks: chunks) { () throws(FileError) in
            try written(coming)
        }
        if head > 0 { try receiver.takeHead(head, until: stop) }
        let file = coming.file
        let range = receiver.next..<file.range(ofChunk: chunks.upperBound - 1).upperBound
        var failure: FetchError?
        do {
            try source.blob(file.sha256, range: range, until: stop) { receiver.take($0) }
        } catch {
            failure = error
        }
        fetchedBytes += receiver.receivedBytes
        if receiver.refusal == nil { _ = receiver.keepPiece() }
        switch receiver.refusal {
        case .wrongChunk(let index, let found):
            try onDisk { () throws(FileError) in
                try coming.part.forget(file.range(ofChunk: index), of: file.length)
            }
            return (index, found)
        case .tooManyBytes:
            throw .fetch(.tooLong(limit: Int64(range.count)), of: file.path)
        case .disk(let error): throw SlotError(error)
        case nil: break
        }
        guard failure == nil, receiver.isComplete else {
            throw Self.error(failure, file.path, range, receiver.receivedBytes)
        }
        return nil
    }

    private static func error(
        _ failure: FetchError?, _ path: TargetPath, _ range: Range<Int64>, _ count: Int64
    ) -> SlotError {
        switch failure {
        case .interrupted: .interrupted
        case let failure?: .fetch(failure, of: path)
        case nil: .fetch(.malformed("expected \(range.count) bytes, got \(count)"), of: path)
        }
    }
}
