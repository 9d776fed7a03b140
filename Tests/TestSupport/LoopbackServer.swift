import Glibc
import Synchronization

/// A request as it came over the wire.
package struct ReceivedRequest: Sendable {
    package let head: String
    package let body: [UInt8]
    /// Which connection of the server's it came on, from 1.
    package let connection: Int
    /// Which request of that connection it is, from 1.
    package let number: Int

    package var line: String { String(head.prefix { !$0.isNewline }) }

    package func field(_ name: String) -> String? {
        for line in head.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name {
                return String(parts[1].drop { $0 == " " })
            }
        }
        return nil
    }
}

/// What the server does in answer, in order.
package enum ServerAction: Sendable {
    case send([UInt8])
    case text(String)
    /// One byte at a time with a pause after each, over and over, until the client goes.
    case trickle(String, pauseMilliseconds: Int)
    /// These bytes over and over, as fast as they are taken, until the client goes.
    case flood([UInt8])
    /// Nothing, until the client goes.
    case hang
    /// An orderly end of the connection.
    case close
    /// An end by RST.
    case reset

    package static func ok(_ body: [UInt8], _ fields: String...) -> [ServerAction] {
        answer("200 OK", body, fields)
    }

    package static func answer(
        _ status: String, _ body: [UInt8] = [], _ fields: [String] = []
    ) -> [ServerAction] {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + fields
        return [.text(lines.joined(separator: "\r\n") + "\r\n\r\n"), .send(body)]
    }
}

/// An HTTP/1.1 server on loopback for one test: real sockets, a thread for each connection, stopped with the object.
package final class LoopbackServer: Sendable {
    package typealias Handler = @Sendable (ReceivedRequest) -> [ServerAction]

    package let port: UInt16
    private let connections: ServerConnections

    /// Listens on a free port of 127.0.0.1, or on a Unix socket.
    package init(unixSocket: String? = nil, _ handler: @escaping Handler) {
        let listener: Int32
        if let unixSocket {
            listener = Self.listenUnix(unixSocket)
            port = 0
        } else {
            (listener, port) = Self.listenLoopback()
        }
        connections = ServerConnections(listener, handler)
        connections.start()
    }

    deinit {
        connections.stop()
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [ReceivedRequest] { connections.requests }
    package var connectionCount: Int { connections.count }
    /// All bytes that were handed to the sockets.
    package var bytesSent: Int64 { connections.bytesSent }

    // MARK: Sockets

    private static func listenLoopback() -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let isBound = unsafe bind(listener, pointer, length) == 0
                precondition(isBound && listen(listener, 16) == 0, "cannot listen on loopback")
                _ = unsafe getsockname(listener, pointer, &length)
            }
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    private static func listenUnix(_ path: String) -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            precondition(path.utf8.count < buffer.count, "the socket's path is too long")
            unsafe buffer.copyBytes(from: path.utf8)
        }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let isBound = unsafe bind(listener, pointer, length) == 0
                precondition(isBound && listen(listener, 16) == 0, "cannot listen on \(path)")
            }
        }
        return listener
    }
}

/// The listener and connections of one server; its threads hold on to it until they have ended.
private final class ServerConnections: Sendable {
    private struct State {
        var requests: [ReceivedRequest] = []
        var connections: [Int32] = []
        var threads: [pthread_t] = []
        var bytesSent: Int64 = 0
        var isStopped = false
    }

    private let listener: Int32
    private let handler: LoopbackServer.Handler
    private let state = Mutex(State())

    init(_ listener: Int32, _ handler: @escaping LoopbackServer.Handler) {
        self.listener = listener
        self.handler = handler
    }

    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    var count: Int { state.withLock { $0.connections.count } }
    var bytesSent: Int64 { state.withLock { $0.bytesSent } }

    func start() {
        let thread = Self.start { self.accept() }
        state.withLock { $0.threads.append(thread) }
    }

    /// Ends all connections and waits for their threads.
    func stop() {
        let connections = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        while let thread = state.withLock({ $0.threads.popLast() }) {
            _ = pthread_join(thread, nil)
        }
        for connection in state.withLock({ $0.connections }) { close(connection) }
        close(listener)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            state.withLock { state in
                state.connections.append(connection)
                let number = state.connections.count
                if state.isStopped { shutdown(connection, Int32(SHUT_RDWR)) }
                state.threads.append(
                    Self.start { self.serve(connection, number) })
            }
        }
    }

    private static func start(_ work: @escaping @Sendable () -> Void) -> pthread_t {
        final class Box {
            let work: @Sendable () -> Void
            init(_ work: @escaping @Sendable () -> Void) { self.work = work }
        }
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(work)).toOpaque()
        let answer = unsafe pthread_create(
            &thread, nil,
            { box in
                if let box = unsafe box {
                    unsafe Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work()
                }
                return nil
            }, box)
        precondition(answer == 0, "cannot start a thread")
        return thread
    }

    // MARK: One connection

    private func serve(_ connection: Int32, _ number: Int) {
        var buffered: [UInt8] = []
        var count = 0
        while let (head, body) = Self.readRequest(connection, &buffered) {
            count += 1
            let request = ReceivedRequest(
                head: head, body: body, connection: number, number: count)
            state.withLock { $0.requests.append(request) }
            for action in handler(request) {
                guard perform(action, connection) else { return }
            }
        }
        shutdown(connection, Int32(SHUT_RDWR))
    }

    /// False where the connection is over.
    private func perform(_ action: ServerAction, _ connection: Int32) -> Bool {
        switch action {
        case .send(let bytes): return send(bytes, connection)
        case .text(let text): return send(Array(text.utf8), connection)
        case .trickle(let text, let pause):
            while true {
                for byte in text.utf8 {
                    guard send([byte], connection) else { return false }
                    usleep(UInt32(pause) * 1_000)
                }
            }
        case .flood(let bytes):
            while send(bytes, connection) {}
            return false
        case .hang:
            var byte: UInt8 = 0
            while unsafe recv(connection, &byte, 1, 0) > 0 {}
        case .close: break
        case .reset:
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            _ = unsafe setsockopt(
                connection, SOL_SOCKET, SO_LINGER, &linger,
                socklen_t(MemoryLayout<Glibc.linger>.size))
            // Closing sends the RST; the number stays taken by a socket that is closed already.
            let other = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            dup2(other, connection)
            close(other)
            return false
        }
        shutdown(connection, Int32(SHUT_RDWR))
        return false
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes[done...].withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    connection, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            done += count
            state.withLock { $0.bytesSent += Int64(count) }
        }
        return true
    }

    private static func readRequest(
        _ connection: Int32, _ buffered: inout [UInt8]
    ) -> (String, [UInt8])? {
        let end = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while true {
            if headEnd == nil, buffered.count >= 4 {
                headEnd = (0...buffered.count - 4).first {
                    buffered[$0..<$0 + 4].elementsEqual(end)
                }
            }
            if let headEnd {
                let head = String(decoding: buffered[..<headEnd], as: UTF8.self)
                let length =
                    ReceivedRequest(head: head, body: [], connection: 0, number: 0)
                    .field("content-length").flatMap { Int($0) } ?? 0
                if buffered.count >= headEnd + 4 + length {
                    let body = Array(buffered[(headEnd + 4)..<(headEnd + 4 + length)])
                    buffered.removeSubrange(..<(headEnd + 4 + length))
                    return (head, body)
                }
            }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let count = unsafe recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            buffered += piece[..<count]
        }
    }
}
