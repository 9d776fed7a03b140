import CPosixShims
import Glibc
import PosixFiles
import Primitives

/// The local socket: accepts connections, and tells which of them have something to say.
///
/// For the loop's thread, which polls `descriptors` together with its own.
final class LocalServer {
    static let connectionLimit = 64

    private let path: String
    private let listener: Int32
    private(set) var connections: [LocalConnection] = []

    /// Listens at a path, in a folder that is made where it is missing.
    ///
    /// A socket that a killed agent has left is replaced; one that answers is another agent's.
    ///
    /// - Throws: `.busy`, or `.storage` where the path cannot be used.
    init(path: String) throws(AgentError) {
        self.path = path
        let (folder, _) = MergedConfiguration.split(path)
        do { _ = try Directory(making: folder, mode: .shared) } catch {
            throw AgentError("socket '\(path)'", error)
        }
        var listener = Self.listen(path)
        if listener == -EADDRINUSE {
            let other = unsafe cposix_connect_unix(path, 1_000_000_000)
            // A plain file refuses connections too, and is nobody's to remove.
            guard other == -ECONNREFUSED, Self.isSocket(path), unsafe unlink(path) == 0 else {
                if other >= 0 { _ = cposix_close(other) }
                throw AgentError(
                    .busy, "socket '\(path)': expected a free name, got one in use",
                    hint: "stop what uses it, or name another one in 'socket'")
            }
            listener = Self.listen(path)
        }
        guard listener >= 0 else {
            throw AgentError(
                .storage,
                "socket '\(path)': expected a name to listen on, got \(ErrorNumber(-listener))",
                hint: "let 'socket' be a name of under 108 bytes in a folder that the agent's user "
                    + "may write")
        }
        self.listener = listener
    }

    private static func listen(_ path: String) -> Int32 {
        unsafe cposix_listen_unix(path, 0o660, 16)
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    deinit {
        _ = unsafe unlink(path)
        _ = cposix_close(listener)
    }

    /// What to poll, the listener first, then the connections in their order.
    var descriptors: [pollfd] {
        [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            + connections.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
    }

    /// Whether lines wait that came before; then there is nothing to wait for.
    var hasLines: Bool { connections.contains { $0.hasLine } }

    /// Moves bytes as `poll` allows, and hands whole lines to `answer`: of each connection a few, so that one that asks
    /// without end takes no more of a turn of the loop than the others.
    ///
    /// - Parameters:
    ///   - polled: `descriptors` with their events.
    ///   - answer: acts on one line.
    func serve(_ polled: ArraySlice<pollfd>, answer: ([UInt8], LocalConnection) -> Void) {
        for (connection, events) in zip(connections, polled.dropFirst()) {
            if events.revents & Int16(POLLOUT) != 0 { connection.flush() }
            if !connection.hasLine, events.revents & ~Int16(POLLOUT) != 0 { connection.receive() }
            for line in connection.takeLines() { answer(line, connection) }
        }
        if let first = polled.first, first.revents != 0 { accept() }
        // What came before the end counts.
        connections.removeAll { $0.isOver && !$0.hasLine }
    }

    private func accept() {
        while true {
            let descriptor = cposix_accept(listener)
            guard descriptor >= 0 else { return }
            guard let connection = LocalConnection(owning: descriptor) else { continue }
            connections.append(connection)
            if connections.count > Self.connectionLimit { dropOne() }
        }
    }

    /// Closes the newest connection of the process that holds the most, so that no process keeps the others out.
    private func dropOne() {
        let held = connections.reduce(into: [:]) { held, connection in
            held[connection.peer.process, default: 0] += 1
        }
        let most = held.values.max()
        let newest = connections.lastIndex { held[$0.peer.process] == most }
        if let newest { connections.remove(at: newest) }
    }

    /// Tells all who asked for such events.
    func tell(_ event: LocalEvent) {
        for connection in connections { connection.tell(event) }
    }
}
