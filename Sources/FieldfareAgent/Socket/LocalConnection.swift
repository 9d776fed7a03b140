import CPosixShims
import Glibc
import Primitives
import SlotHost

/// One application, or one operator, at the local socket: lines that came, and lines that wait to go.
final class LocalConnection {
    /// Who connected, as the kernel knows it.
    struct Peer: Hashable {
        let process: pid_t
        let user: uid_t
    }

    /// Bytes that may wait for a peer that does not read.
    static let outgoingLimit = 256 << 10
    /// Leases that may wait for such a peer: each is an open file of the agent's.
    static let outgoingLeases = 4
    /// Lines that are answered in one turn of the loop; the others wait, and hold back who sent them.
    static let linesAtOnce = 8

    let descriptor: Int32
    let peer: Peer
    /// Which events it asked for.
    var subscription: LocalEvent.Subscription?
    /// The version that it leased last, and so the one it may acknowledge.
    var lent: SemanticVersion?
    private(set) var isOver = false
    private var received: [UInt8] = []
    private var outgoing: [Line] = []
    private var outgoingBytes = 0

    /// A line on its way, with the lease that travels with its first byte.
    private struct Line {
        var bytes: ArraySlice<UInt8>
        var lease: SlotLease?
    }

    /// Takes the descriptor over; nil where the kernel does not say who is there.
    init?(owning descriptor: Int32) {
        self.descriptor = descriptor
        var (process, user, group) = (pid_t(), uid_t(), gid_t())
        guard unsafe cposix_peer(descriptor, &process, &user, &group) == 0 else {
            _ = cposix_close(descriptor)
            return nil
        }
        peer = Peer(process: process, user: user)
    }

    deinit { _ = cposix_close(descriptor) }

    /// What to poll for; who has a line that waits is not read from.
    var interest: Int16 {
        (hasLine ? 0 : Int16(POLLIN)) | (outgoing.isEmpty ? 0 : Int16(POLLOUT))
    }

    /// Whether a whole line has come, and waits.
    var hasLine: Bool { received.contains(0x0A) }

    func end() { isOver = true }

    /// Takes what has come; a peer that sends a line beyond the limit is cut off.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var stranger: Int32 = -1
        let count = unsafe cposix_receive(descriptor, &buffer, buffer.count, &stranger)
        if stranger >= 0 { _ = cposix_close(stranger) }
        if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
        guard count > 0 else { return end() }
        received += buffer[..<count]
        if received.count >= LocalRequest.lineLimit, !hasLine { end() }
    }

    /// The next whole lines, without their newlines.
    func takeLines() -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while lines.count < Self.linesAtOnce, let newline = received.firstIndex(of: 0x0A) {
            lines.append(Array(received[..<newline]))
            received.removeSubrange(...newline)
        }
        return lines
    }

    /// Sends a line, now or when the peer reads; a peer that has stopped reading is cut off.
    func send(_ bytes: [UInt8], with lease: SlotLease? = nil) {
        guard !isOver else { return }
        outgoing.append(Line(bytes: bytes[...] + [0x0A], lease: lease))
        outgoingBytes += bytes.count + 1
        flush()
        let leases = outgoing.count { $0.lease != nil }
        if outgoingBytes > Self.outgoingLimit || leases > Self.outgoingLeases { end() }
    }

    /// Sends what waits, as far as it goes.
    func flush() {
        while let line = outgoing.first {
            let count = unsafe line.bytes.withUnsafeBytes {
                unsafe cposix_send(
                    descriptor, $0.baseAddress, $0.count, line.lease?.descriptor ?? -1)
            }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { return }
            guard count > 0 else { return end() }
            outgoingBytes -= count
            outgoing[0].lease = nil
            outgoing[0].bytes.removeFirst(count)
            if outgoing[0].bytes.isEmpty { outgoing.removeFirst() }
        }
    }
}
