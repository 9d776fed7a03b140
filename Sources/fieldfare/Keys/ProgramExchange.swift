import Glibc

/// The two ends of a pipe that no child inherits by itself; -1 where an end is closed.
struct PipeEnds {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    mutating func open() -> Bool {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return false }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return true
    }

    mutating func closeReading() { Self.close(&reading) }
    mutating func closeWriting() { Self.close(&writing) }

    mutating func close() {
        closeReading()
        closeWriting()
    }

    private static func close(_ end: inout Int32) {
        if end >= 0 { _ = Glibc.close(end) }
        end = -1
    }
}

/// A request on its way to a program, and the answer on its way back, without waiting for either side alone.
struct ProgramExchange {
    private static let stepMilliseconds: Int32 = 50
    private static let bufferSize = 4_096

    private var rest: ArraySlice<UInt8>
    /// The writing end is closed when the program has the request, or wants no more of it.
    private(set) var requests: PipeEnds
    private let answers: PipeEnds
    private let limit: Int
    /// At most a buffer more than the limit.
    private(set) var answer: [UInt8] = []
    private var isAnswered = false

    /// - Parameters:
    ///   - request: what the program reads.
    ///   - requests: the pipe that it reads from.
    ///   - answers: the pipe that it writes to.
    ///   - limit: the bytes that an answer may have.
    init(request: [UInt8], requests: PipeEnds, answers: PipeEnds, limit: Int) {
        rest = request[...]
        self.requests = requests
        self.answers = answers
        self.limit = limit
        _ = fcntl(requests.writing, F_SETFL, O_NONBLOCK)
        _ = fcntl(answers.reading, F_SETFL, O_NONBLOCK)
    }

    var isTooLong: Bool { answer.count > limit }

    /// Moves what can be moved, and waits a little for it.
    mutating func step() {
        // Negative descriptors are passed over; with none left this is the wait for the program's end.
        var waiting = [
            pollfd(
                fd: isAnswered ? -1 : answers.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: requests.writing, events: Int16(POLLOUT), revents: 0),
        ]
        let most = isAnswered ? 5 : Self.stepMilliseconds
        guard unsafe poll(&waiting, 2, most) > 0 else { return }
        if waiting[1].revents != 0 { send() }
        if waiting[0].revents != 0 { _ = receive() }
    }

    /// Takes what is there, once the program has ended.
    mutating func drain() {
        while !isAnswered, !isTooLong, receive() {}
    }

    private mutating func send() {
        let count = unsafe rest.withUnsafeBytes { buffer in
            unsafe write(requests.writing, buffer.baseAddress, buffer.count)
        }
        if count > 0 { rest = rest.dropFirst(count) }
        let isBroken = count < 0 && ![EAGAIN, EINTR].contains(errno)
        if rest.isEmpty || isBroken { requests.closeWriting() }
    }

    /// - Returns: whether there was anything.
    private mutating func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        let count = unsafe read(answers.reading, &buffer, buffer.count)
        if count > 0 { answer += buffer.prefix(count) }
        if count == 0 || (count < 0 && ![EAGAIN, EINTR].contains(errno)) { isAnswered = true }
        return count > 0
    }
}
