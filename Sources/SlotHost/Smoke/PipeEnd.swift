import AgentCore
import CPosixShims
import Glibc

/// A descriptor that is closed with its owner; as a pipe's reading end it never waits.
struct PipeEnd: ~Copyable {
    let number: Int32
    private var isAtEnd = false

    init(owning number: Int32) { self.number = number }

    deinit {
        if number >= 0 { _ = cposix_close(number) }
    }

    /// To be polled; negative, and so passed over, after the end.
    var waiting: Int32 { isAtEnd ? -1 : number }

    /// Takes what is there, up to `limit` bytes in all.
    mutating func drain(into bytes: inout [UInt8], limit: Int) {
        while bytes.count < limit, let piece = take(limit - bytes.count) { bytes += piece }
    }

    /// Takes what is there, and keeps the last bytes of all that came.
    mutating func drain(into bytes: inout [UInt8], keepingLast limit: Int) {
        // Bounded, because a child that writes without end must not keep its parent here.
        for _ in 0..<64 {
            guard let piece = take(65_536) else { return }
            bytes += piece
            if bytes.count > limit { bytes.removeFirst(bytes.count - limit) }
        }
    }

    /// The next bytes; nil where there are none now, or at the end.
    private mutating func take(_ most: Int) -> [UInt8]? {
        guard !isAtEnd else { return nil }
        var buffer = [UInt8](repeating: 0, count: min(most, 65_536))
        let count = unsafe read(number, &buffer, buffer.count)
        if count == 0 { isAtEnd = true }
        guard count > 0 else { return nil }
        buffer.removeSubrange(count...)
        return buffer
    }
}

/// A pipe whose reading end does not wait.
struct Pipe: ~Copyable {
    let reading: PipeEnd
    let writing: PipeEnd

    init() throws(ProbeError) {
        var ends: [Int32] = [-1, -1]
        let answer = unsafe cposix_pipe(&ends)
        guard answer == 0 else { throw .cannotStart(operation: "pipe2", errno: -answer) }
        _ = cposix_set_nonblocking(ends[0], true)
        reading = PipeEnd(owning: ends[0])
        writing = PipeEnd(owning: ends[1])
    }
}

/// Lists of words as `execve` wants them.
enum CStrings {
    /// Lends the words, ended by a null pointer.
    static func with<Value>(
        _ words: [String], _ work: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var list = unsafe words.map { unsafe strdup($0) }
        unsafe list.append(nil)
        defer { for index in unsafe list.indices { unsafe free(list[index]) } }
        return unsafe list.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("never empty") }
            return unsafe work(start)
        }
    }
}
