import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Takes the bytes of consecutive chunks as they arrive, writes them to their place, and hashes them on the way.
///
/// A chunk counts once all of it met its digest. What was not checked is in the part file and nowhere else; in memory are at
/// most `pieceBytes`, and at most a second.
final class ChunkReceiver {
    /// Why it takes no more.
    enum Refusal {
        case wrongChunk(index: Int, found: SHA256Digest)
        case tooManyBytes
        case disk(FileError)
    }

    /// Bytes that are hashed and written at a time.
    static let pieceBytes = 256 << 10
    private static let longestNanoseconds: Int64 = 1_000_000_000

    private let coming: ComingFile
    private let end: Int
    private let written: () throws(FileError) -> Void
    /// The chunk that is arriving.
    private var index: Int
    /// How many of its bytes are in the part file, and hashed.
    private var filled: Int64 = 0
    private var hash = SHA256()
    /// What has come after them.
    private var piece: [UInt8] = []
    private var lastWrite = SystemClock.monotonicNanoseconds()
    private(set) var receivedBytes: Int64 = 0
    private(set) var refusal: Refusal?

    /// - Parameters:
    ///   - coming: the file, and where its chunks are written.
    ///   - chunks: those that are to come.
    ///   - written: called after each write.
    init(
        _ coming: ComingFile, chunks: Range<Int>, written: @escaping () throws(FileError) -> Void
    ) {
        self.coming = coming
        self.written = written
        end = chunks.upperBound
        index = chunks.lowerBound
        piece.reserveCapacity(Int(min(Int64(Self.pieceBytes), coming.file.length)))
    }

    private var file: ManifestFile { coming.file }
    var isComplete: Bool { index == end }

    /// Begins the first chunk with so many of its bytes that an earlier call left in the part file; nobody has checked them.
    func takeHead(_ count: Int64, until stop: Interrupt) throws(SlotError) {
        let start = file.range(ofChunk: index).lowerBound
        var hasher = FileHasher(until: stop)
        if try hasher.feed(&hash, with: coming.part.file, start..<(start + count)) {
            filled = count
        } else {
            hash = SHA256()
        }
    }

    /// Where the next byte that is to come lies in the file.
    var next: Int64 {
        file.range(ofChunk: index).lowerBound + filled + Int64(piece.count)
    }

    /// Takes the next bytes; false where there is no use in more.
    func take(_ bytes: RawSpan) -> Bool {
        receivedBytes += Int64(bytes.byteCount)
        var offset = 0
        while offset < bytes.byteCount {
            guard !isComplete else {
                refusal = .tooManyBytes
                return false
            }
            let rest = Int(file.range(ofChunk: index).upperBound - next)
            let count = min(rest, Self.pieceBytes - piece.count, bytes.byteCount - offset)
            unsafe bytes.extracting(offset..<(offset + count)).withUnsafeBytes {
                unsafe piece.append(contentsOf: $0)
            }
            offset += count
            guard count < rest ? keepPieceIfDue() : keepChunk() else { return false }
        }
        return true
    }

    /// Writes what is in memory still, as before an end.
    func keepPiece() -> Bool {
        guard !piece.isEmpty else { return true }
        hash.update(piece)
        do throws(FileError) {
            try coming.part.write(
                piece, at: file.range(ofChunk: index).lowerBound + filled)
            filled += Int64(piece.count)
            piece.removeAll(keepingCapacity: true)
            lastWrite = SystemClock.monotonicNanoseconds()
            try written()
            return true
        } catch {
            refusal = .disk(error)
            return false
        }
    }

    private func keepPieceIfDue() -> Bool {
        let isDue = SystemClock.monotonicNanoseconds() - lastWrite >= Self.longestNanoseconds
        return piece.count == Self.pieceBytes || isDue ? keepPiece() : true
    }

    private func keepChunk() -> Bool {
        guard keepPiece() else { return false }
        let range = file.range(ofChunk: index)
        let found = exchange(&hash, with: SHA256()).finish()
        guard found == file.chunks[index] else {
            refusal = .wrongChunk(index: index, found: found)
            return false
        }
        do { try coming.part.file.beginWriteback(range) } catch {
            refusal = .disk(error)
            return false
        }
        coming.arrived(index)
        filled = 0
        index += 1
        return true
    }
}
