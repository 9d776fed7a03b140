import CPosixShims
import Glibc

/// A connection to a message bus, for one thread: enough to ask for properties (D-Bus Specification 0.43).
///
/// Whatever is not as expected ends the question, not the agent: the answer is then nil.
final class BusConnection {
    /// Messages for others, such as signals, that may come before an answer.
    private static let patience = 16
    private static let bus = "org.freedesktop.DBus"

    private let socket: Int32
    private var received: [UInt8] = []
    private var serial: UInt32 = 0

    /// Connects and says who it is; nil where there is no bus, or none that takes this user.
    ///
    /// - Parameters:
    ///   - path: the bus's socket.
    ///   - timeout: of each send and each receive, in milliseconds.
    init?(path: String, timeoutMilliseconds timeout: Int64) {
        socket = unsafe cposix_connect_unix(path, timeout * 1_000_000)
        guard socket >= 0 else { return nil }
        let user = "\(geteuid())".utf8.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }
        guard send([0] + Array("AUTH EXTERNAL \(user.joined())\r\n".utf8)), isWelcome(),
            send(Array("BEGIN\r\n".utf8)),
            ask("Hello", of: Self.bus, at: "/org/freedesktop/DBus", on: Self.bus, []) == .other
        else { return nil }
    }

    deinit { if socket >= 0 { _ = cposix_close(socket) } }

    /// A property's value; nil where nobody has it.
    func property(
        _ name: String, of interface: String, at path: String, on destination: String
    ) -> BusMessage.Value? {
        let reply = ask(
            "Get", of: "org.freedesktop.DBus.Properties", at: path, on: destination,
            [interface, name])
        guard case .value(let value) = reply else { return nil }
        return value
    }

    private func ask(
        _ member: String, of interface: String, at path: String, on destination: String,
        _ texts: [String]
    ) -> BusMessage.Reply? {
        serial += 1
        let call = BusMessage.call(
            member, of: interface, at: path, on: destination, serial: serial, texts)
        guard send(call) else { return nil }
        for _ in 0..<Self.patience {
            guard let head = take(BusMessage.headLength, keeping: true),
                let length = BusMessage.length(head: head), let message = take(length)
            else { return nil }
            if let reply = BusMessage.reply(in: message, to: serial) { return reply }
        }
        return nil
    }

    /// Whether the server's line says so.
    private func isWelcome() -> Bool {
        while true {
            if let end = received.firstIndex(of: 0x0A) {
                let line = received[...end]
                received.removeSubrange(...end)
                return line.starts(with: "OK ".utf8)
            }
            guard received.count < 1_024, receive() else { return false }
        }
    }

    /// The next bytes, `keeping` them to be taken again.
    private func take(_ count: Int, keeping isKept: Bool = false) -> [UInt8]? {
        while received.count < count { guard receive() else { return nil } }
        defer { if !isKept { received.removeFirst(count) } }
        return Array(received[..<count])
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var stranger: Int32 = -1
        let count = unsafe cposix_receive(socket, &buffer, buffer.count, &stranger)
        if stranger >= 0 { _ = cposix_close(stranger) }
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe Array(bytes[sent...]).withUnsafeBytes {
                unsafe cposix_send(socket, $0.baseAddress, $0.count, -1)
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
