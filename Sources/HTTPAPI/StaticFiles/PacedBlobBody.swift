import Hummingbird
import NIOCore
import RegistryCore

/// Streams a part of a blob, no faster than the connection takes it.
///
/// Each chunk is followed by a round trip to the connection's event loop: the loop has then seen the write,
/// so back-pressure is exact, and a slow client costs about one chunk of memory instead of a window full.
/// A chunk is read on the thread pool unless the page cache has it.
struct PacedBlobBody: Sendable {
    /// Bytes read and written at a time.
    static let chunk = 256 << 10

    let blob: any BlobReading
    let range: Range<Int64>
    let eventLoop: any EventLoop

    var body: ResponseBody {
        ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let end = min(offset + Int64(Self.chunk), range.upperBound)
                try await writer.write(try await read(offset..<end))
                try await eventLoop.submit {}.get()
                offset = end
            }
            try await writer.finish(nil)
        }
    }

    private func read(_ part: Range<Int64>) async throws -> ByteBuffer {
        if let cached = try buffer(part, cachedOnly: true) { return cached }
        let body = self
        let buffer = try await blocking { try body.buffer(part, cachedOnly: false) }
        guard let buffer else {
            throw RegistryError.storage("blob: expected \(part.count) bytes, got fewer")
        }
        return buffer
    }

    /// A buffer with the bytes of `part`; nil where there are fewer, or where that would wait for the disk.
    private func buffer(_ part: Range<Int64>, cachedOnly: Bool) throws -> ByteBuffer? {
        let count = part.count
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        let blob = blob
        let filled = try unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
            (room: UnsafeMutableRawBufferPointer) throws -> Int in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(count))
            guard cachedOnly else { return try unsafe blob.read(into: room, at: part.lowerBound) }
            return try unsafe blob.readCached(into: room, at: part.lowerBound) ?? 0
        }
        return filled == count ? buffer : nil
    }
}
