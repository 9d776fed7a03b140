import AgentCore
import CPosixShims
import Glibc
import Speech
import Synchronization
import TestSupport
import Testing

@testable import FieldfareAgent

/// Link and battery from a message bus: one whose answers are known, and the real daemon.
struct BusConditionsTests {
    private let scratch = ScratchFolder("bus")

    /// No battery of this machine's own.
    private var kernel: KernelConditions {
        KernelConditions(sensors: SensorFiles(root: scratch.path("none")))
    }

    private static let patience: Int64 = 20_000

    private func conditions(_ path: String) -> Conditions {
        BusConditions(path: path, kernel: kernel, timeoutMilliseconds: Self.patience).conditions()
    }

    /// `Hello`, and then an answer to each question in its order, with the type and value that are given.
    private func told(
        _ answers: [(type: Character, value: [UInt8])?], welcome: String = "OK 1234\r\n"
    ) throws -> Conditions {
        let hello = FakeBus.answer(to: 1, type: "s", value: [1, 0, 0, 0, 0x78, 0])
        let rest = answers.enumerated().map { index, answer in
            answer.map { FakeBus.answer(to: UInt8(index + 2), type: $0.type, value: $0.value) }
                ?? FakeBus.failure(to: UInt8(index + 2))
        }
        let bus = try FakeBus(scratch.path("bus.sock"), [Array(welcome.utf8), hello] + rest)
        defer { bus.stop() }
        return conditions(bus.path)
    }

    private static let percent83: [UInt8] = [0, 0, 0, 0, 0, 0xE0, 0x54, 0x40]

    @Test(arguments: [
        (UInt8(1), LinkKind?.some(.metered)), (3, .metered), (2, .unmetered), (4, .unmetered),
        (0, nil), (9, nil),
    ])
    func `NetworkManager's word is the link's kind`(word: UInt8, link: LinkKind?) throws {
        let found = try told([("u", [word, 0, 0, 0]), ("b", [0, 0, 0, 0])])
        #expect(found == Conditions(link: link))
    }

    @Test func `UPower's word is the battery's`() throws {
        let found = try told([
            ("u", [2, 0, 0, 0]), ("b", [1, 0, 0, 0]), ("d", Self.percent83),
        ])
        #expect(found == Conditions(link: .unmetered, batteryCharge: 835))
    }

    @Test func `who is not there says nothing`() throws {
        #expect(try told([nil, nil]) == Conditions())
        #expect(conditions(scratch.path("nobody")) == Conditions())
    }

    @Test func `a bus that refuses, hangs up or talks of something else says nothing`() throws {
        #expect(try told([("u", [1, 0, 0, 0])], welcome: "REJECTED EXTERNAL\r\n") == Conditions())
        let endless = try FakeBus(
            scratch.path("endless"), [[UInt8](repeating: 0x41, count: 100_000)])
        #expect(conditions(endless.path) == Conditions())
        endless.stop()
        let closed = try FakeBus(scratch.path("closed"), [])
        #expect(conditions(closed.path) == Conditions())
        closed.stop()
    }

    /// The bus that Linux devices have: it takes this user, greets, and knows neither of the two services.
    @Test func `the real daemon is spoken to`() throws {
        let path = scratch.path("real.sock")
        let configuration = """
            <busconfig><type>session</type><listen>unix:path=\(path)</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*" eavesdrop="true"/>
            <allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>
            """
        let file = unsafe try #require(fopen(scratch.path("bus.conf"), "w"))
        unsafe fputs(configuration, file)
        unsafe fclose(file)
        let daemon = try Daemon(scratch.path("bus.conf"), scratch.path("pid"))
        defer { daemon.stop() }
        let bus = try #require(BusConnection(path: path, timeoutMilliseconds: Self.patience))
        let missing = bus.property(
            "Metered", of: "org.freedesktop.NetworkManager",
            at: "/org/freedesktop/NetworkManager", on: "org.freedesktop.NetworkManager")
        #expect(missing == nil)
        #expect(conditions(path) == Conditions())
    }
}

/// `dbus-daemon` in the background, for as long as the test asks.
private struct Daemon {
    private let pidFile: String

    /// Comes back when it listens.
    init(_ configuration: String, _ pidFile: String) throws {
        self.pidFile = pidFile
        let run = try ChildProcess(
            [
                "/bin/sh", "-c",
                "dbus-daemon --config-file=\"$1\" --fork --print-pid=3 3>\"$2\"", "sh",
                configuration, pidFile,
            ], environment: ["PATH=/usr/bin:/bin"], timeout: 20_000)
        let isRunning = run.ending == .exited(0)
        try #require(isRunning, "\(run.errors)")
    }

    func stop() {
        guard let file = unsafe fopen(pidFile, "r") else { return }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard unsafe fgets(&line, 32, file) != nil else { return }
        let number = unsafe atoi(line)
        if number > 1 { kill(number, SIGTERM) }
    }
}

/// A bus with one caller, to whom it sends one piece for each that comes, whatever that says.
private final class FakeBus: Sendable {
    let path: String
    private let listener: Int32
    private let pieces: [[UInt8]]
    private let thread = Mutex<pthread_t?>(nil)

    init(_ path: String, _ pieces: [[UInt8]]) throws {
        self.path = path
        self.pieces = pieces
        _ = unsafe unlink(path)
        listener = unsafe cposix_listen_unix(path, 0o600, 1)
        try #require(listener >= 0)
        var id = pthread_t()
        let box = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(
            &id, nil,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<FakeBus>.fromOpaque(pointer).takeRetainedValue().serve()
                return nil
            }, box)
        try #require(code == 0)
        thread.withLock { $0 = id }
    }

    private func serve() {
        Self.wait(listener)
        let caller = cposix_accept(listener)
        guard caller >= 0 else { return }
        defer { close(caller) }
        // The welcome answers AUTH; the answer to Hello comes after BEGIN and Hello, in one piece or two.
        for (index, piece) in pieces.enumerated() {
            let came = Self.receive(caller)
            guard !came.isEmpty else { return }
            if index == 1, came.elementsEqual("BEGIN\r\n".utf8) { _ = Self.receive(caller) }
            guard unsafe cposix_send(caller, piece, piece.count, -1) > 0 else { return }
        }
        _ = Self.receive(caller)
    }

    private static func receive(_ caller: Int32) -> ArraySlice<UInt8> {
        wait(caller)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var stranger: Int32 = -1
        let count = unsafe cposix_receive(caller, &buffer, buffer.count, &stranger)
        return buffer[..<max(0, count)]
    }

    private static func wait(_ number: Int32) {
        var arrival = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&arrival, 1, 20_000)
    }

    /// Ends it, also where nobody came.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        if let thread = thread.withLock({ $0 }) { pthread_join(thread, nil) }
        close(listener)
    }

    /// A `method_return` with a variant, or for type `s` with a plain string as `Hello` has it.
    static func answer(to serial: UInt8, type: Character, value: [UInt8]) -> [UInt8] {
        let isPlain = type == "s"
        let letter = type.utf8.first ?? 0
        var body: [UInt8] = isPlain ? [] : [1, letter, 0]
        while !isPlain, !body.count.isMultiple(of: type == "d" ? 8 : 4) { body.append(0) }
        body += value
        let fields: [UInt8] = [
            5, 1, 0x75, 0, serial, 0, 0, 0, 8, 1, 0x67, 0, 1, isPlain ? 0x73 : 0x76, 0,
        ]
        let head: [UInt8] = [
            0x6C, 2, 0, 1, UInt8(body.count), 0, 0, 0, 9, 0, 0, 0, UInt8(fields.count), 0, 0, 0,
        ]
        return head + fields + [0] + body
    }

    static func failure(to serial: UInt8) -> [UInt8] {
        [0x6C, 3, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 5, 1, 0x75, 0, serial, 0, 0, 0]
    }
}
