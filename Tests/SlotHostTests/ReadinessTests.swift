import CPosixShims
import Glibc
import SlotHost
import TestSupport
import Testing

struct ReadinessTests {
    private let scratch = ScratchFolder("notify")

    @Test func `tells the service manager's socket, as it is`() throws {
        let path = scratch.path("notify.sock")
        let socket = try bind(path)
        defer { close(socket) }
        #expect(Readiness.tell("READY=1\nSTATUS=running", socket: path))
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(
            String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
                == "READY=1\nSTATUS=running")
    }

    @Test func `is silent without a service manager, and does not fail where it is gone`() {
        #expect(!Readiness.tell("READY=1", socket: nil))
        #expect(!Readiness.tell("READY=1", socket: scratch.path("gone.sock")))
    }

    private func bind(_ path: String) throws -> Int32 {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(number >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8CString)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { space in
            for (index, character) in name.enumerated() {
                unsafe space[index] = UInt8(bitPattern: character)
            }
        }
        let answer = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(answer == 0)
        return number
    }
}
