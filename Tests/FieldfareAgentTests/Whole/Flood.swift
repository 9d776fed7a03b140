import CPosixShims
import Glibc
import Primitives
import Synchronization
import Testing

/// One client that says well-formed lines on many connections, as fast as they are taken, and reads every answer.
final class Flood: Sendable {
    private struct State {
        /// Lines that were answered, by connection.
        var answers: [Int]
        var isOver = false
    }

    private let connections: [Int32]
    private let lines: [[UInt8]]
    private let state: Mutex<State>
    private let thread = Mutex(pthread_t())

    /// Connects, and begins.
    ///
    /// - Parameters:
    ///   - count: how many connections.
    ///   - lines: what they say: the first connection the first line, and so on, over and over.
    ///   - socket: the agent's.
    /// - Throws: where it cannot connect.
    init(_ count: Int, of lines: [String], at socket: String) throws {
        connections = try (0..<count).map { _ in
            let number = unsafe cposix_connect_unix(socket, 30_000_000_000)
            try #require(number >= 0)
            return number
        }
        self.lines = lines.map { Array(String(repeating: $0 + "\n", count: 200).utf8) }
        state = Mutex(State(answers: [Int](repeating: 0, count: count)))
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Flood>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        try #require(code == 0)
        self.thread.withLock { $0 = thread }
    }

    deinit { for number in connections { close(number) } }

    /// Answers to each connection so far.
    var answers: [Int] { state.withLock { $0.answers } }

    func stop() {
        state.withLock { $0.isOver = true }
        thread.withLock { _ = pthread_join($0, nil) }
    }

    private func run() {
        var sent = [Int](repeating: 0, count: connections.count)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !state.withLock({ $0.isOver }) {
            var waiting = connections.map {
                pollfd(fd: $0, events: Int16(POLLIN | POLLOUT), revents: 0)
            }
            _ = unsafe poll(&waiting, nfds_t(waiting.count), 100)
            for (index, number) in connections.enumerated() {
                if waiting[index].revents & Int16(POLLIN) != 0 {
                    // Leases that come along are closed by the kernel, for there is no room for them.
                    let count = unsafe recv(
                        number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                    let answers = buffer.prefix(max(0, count)).count { $0 == 0x0A }
                    state.withLock { $0.answers[index] += answers }
                }
                let line = lines[index % lines.count]
                let rest = line[sent[index]...]
                let count = unsafe rest.withUnsafeBytes {
                    unsafe Glibc.send(
                        number, $0.baseAddress, $0.count,
                        Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                }
                sent[index] = (sent[index] + max(0, count)) % line.count
            }
        }
    }
}
