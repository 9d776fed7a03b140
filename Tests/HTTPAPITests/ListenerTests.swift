import Glibc
import NIOCore
import Testing

@testable import HTTPAPI

/// Where a server cannot listen.
struct ListenerTests {
    private static let table: [(ListenerError, String, hint: String?)] = [
        (
            .portInUse(host: "127.0.0.1", port: 8_421),
            "port 8421 of '127.0.0.1': expected a free one, got one on which another program listens",
            "stop the other program, or choose another port"
        ),
        (
            .notPermitted(port: 443),
            "port 443: expected one that this user may listen on, got one kept for others",
            "choose a port from 1024 on, with a proxy in front"
        ),
        (
            .foreignAddress(host: "203.0.113.9"),
            "host '203.0.113.9': expected an address of this machine, got another", nil
        ),
        (
            .unknownHost("nobody"),
            "host 'nobody': expected an address, or a name that has one, got neither", nil
        ),
        (
            .certificate("c.pem", reason: "r"),
            "TLS certificate 'c.pem': expected a certificate with its chain (PEM), got none: r", nil
        ),
        (
            .key("k.pem", certificate: "c.pem", reason: "r"),
            "TLS key 'k.pem': expected the key of certificate 'c.pem' (PEM), got none: r", nil
        ),
        (
            .other(host: "127.0.0.1", port: 1, reason: "r"),
            "server on '127.0.0.1', port 1: expected to listen, could not: r", nil
        ),
    ]

    @Test func `every reason is told as thing, expected, got`() {
        for (error, text, hint) in Self.table {
            #expect("\(error)" == text)
            #expect(error.hint == hint)
        }
    }

    @Test(arguments: [
        (EADDRINUSE, ListenerError.portInUse(host: "h", port: 7)),
        (EACCES, .notPermitted(port: 7)), (EADDRNOTAVAIL, .foreignAddress(host: "h")),
    ])
    func `the system's reasons are told apart`(number: Int32, expected: ListenerError) {
        let error = IOError(errnoCode: number, reason: "bind")
        #expect(ListenerError(error, host: "h", port: 7) == expected)
    }

    @Test func `a free port is left free, and one that is taken is not`() async throws {
        let first = try await Listener(host: "127.0.0.1", port: 0, transport: .plain)
        #expect(first.tls == nil && first.port == 0)
        let busy = try BusyPort()
        await #expect(throws: ListenerError.portInUse(host: "127.0.0.1", port: busy.number)) {
            try await Listener(host: "127.0.0.1", port: busy.number, transport: .plain)
        }
        let number = busy.number
        busy.close()
        _ = try await Listener(host: "127.0.0.1", port: number, transport: .plain)
        _ = try await Listener(host: "127.0.0.1", port: number, transport: .plain)
    }

    /// A port of loopback on which this process listens.
    private final class BusyPort {
        let number: Int
        private var socket: Int32

        init() throws {
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = socket
            let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 1) == 0
                        && getsockname(descriptor, address, &length) == 0
                }
            }
            try #require(isBound)
            number = Int(UInt16(bigEndian: address.sin_port))
        }

        deinit { close() }

        func close() {
            guard socket >= 0 else { return }
            _ = Glibc.close(socket)
            socket = -1
        }
    }
}
