package import AgentCore
package import Primitives
import Synchronization

/// A registry in memory, that can lie and break off.
package final class MemorySource: Fetching {
    /// One request for a blob, and how many bytes of it were taken.
    package struct Request: Sendable, Equatable {
        package let digest: SHA256Digest
        package let range: Range<Int64>
        package var sent: Int64 = 0
    }

    private struct State {
        var blobs: [SHA256Digest: [UInt8]] = [:]
        var requests: [Request] = []
        /// Breaks off after so many bytes more, once.
        var breakOff: (after: Int64, error: FetchError)?
        /// Changes bytes on their way: request number, offset in the file, byte.
        var tamper: (@Sendable (Int, Int64, UInt8) -> UInt8)?
        var surplus: [UInt8] = []
        var shortfall = 0
        var onPiece: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let pieceLength: Int

    package init(_ bundles: [MemoryBundle], pieceLength: Int = 64 << 10) {
        self.pieceLength = pieceLength
        state.withLock { state in
            for bundle in bundles {
                for (name, bytes) in bundle.files { state.blobs[bundle.digest(of: name)] = bytes }
            }
        }
    }

    package var requests: [Request] { state.withLock { $0.requests } }
    package var sentBytes: Int64 { requests.reduce(0) { $0 + $1.sent } }

    package func breakOff(after bytes: Int64, _ error: FetchError = .unreachable("reset")) {
        state.withLock { $0.breakOff = (bytes, error) }
    }

    package func tamper(_ change: (@Sendable (Int, Int64, UInt8) -> UInt8)?) {
        state.withLock { $0.tamper = change }
    }

    package func offer(_ bytes: [UInt8], as digest: SHA256Digest) {
        state.withLock { $0.blobs[digest] = bytes }
    }
    package func forget(_ digest: SHA256Digest) { state.withLock { $0.blobs[digest] = nil } }
    package func sendMore(_ bytes: [UInt8]) { state.withLock { $0.surplus = bytes } }
    package func sendLess(_ count: Int) { state.withLock { $0.shortfall = count } }
    package func onPiece(_ act: (@Sendable () -> Void)?) { state.withLock { $0.onPiece = act } }

    package func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        throw .notFound
    }

    package func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        throw .notFound
    }

    package func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        let (answer, number) = state.withLock { state in
            state.requests.append(Request(digest: digest, range: range))
            return (state.blobs[digest], state.requests.count - 1)
        }
        guard let blob = answer else { throw .notFound }
        guard range.upperBound <= blob.count, !range.isEmpty else {
            throw .refused(status: 416, code: nil)
        }
        var rest = blob[Int(range.lowerBound)..<Int(range.upperBound)]
        rest = rest.dropLast(state.withLock { $0.shortfall })
        rest += state.withLock { $0.surplus }
        while !rest.isEmpty {
            state.withLock { $0.onPiece }?()
            if stop.isSet { throw .interrupted }
            try send(rest.prefix(pieceLength), number, sink)
            rest = rest.dropFirst(pieceLength)
        }
    }

    private func send(
        _ piece: ArraySlice<UInt8>, _ number: Int, _ sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        var piece = piece
        var failure: FetchError?
        state.withLock { state in
            if let tamper = state.tamper {
                for index in piece.indices {
                    piece[index] = tamper(number, Int64(index), piece[index])
                }
            }
            if let breakOff = state.breakOff {
                if breakOff.after < piece.count {
                    piece = piece.prefix(Int(breakOff.after))
                    failure = breakOff.error
                    state.breakOff = nil
                } else {
                    state.breakOff?.after -= Int64(piece.count)
                }
            }
            state.requests[number].sent += Int64(piece.count)
        }
        if !piece.isEmpty, !sink(unsafe piece.span.bytes) { throw .interrupted }
        if let failure { throw failure }
    }
}
