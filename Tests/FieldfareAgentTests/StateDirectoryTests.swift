import PosixFiles
import Primitives
import Synchronization
import TUF
import TestSupport
import Testing

@testable import FieldfareAgent

struct StateDirectoryTests {
    private let device = AgentUnderTest()

    /// What writes that a kill cut short leave, and a smoke test that died with its agent.
    private static let leftovers = [
        "state/.new-0123456789abcdef", "state/metadata/.new-0123456789abcdef",
        "state/targets/.new-fedcba9876543210", "state/slots/.new-0123456789abcdef",
        "state/slots/smoke.tmp/deep/samples",
    ]

    private func plant(_ names: [String]) throws {
        for name in names {
            let folder = name.split(separator: "/").dropLast().joined(separator: "/")
            _ = try Directory(making: device.scratch.path(folder))
            try device.write([1], to: device.scratch.path(name))
        }
    }

    @Test func `an agent that starts removes what killed writes have left, and nothing else`()
        throws
    {
        let others = ["state/.new-notes", "state/metadata/new-0123456789abcdef", "state/notes"]
        try plant(Self.leftovers + others)
        try device.start()
        defer { device.stop() }
        for name in Self.leftovers { #expect(!device.exists(name), "\(name)") }
        #expect(!device.exists("state/slots/smoke.tmp"))
        for name in others { #expect(device.exists(name), "\(name)") }
    }

    @Test func `an agent that finds another one removes nothing`() throws {
        try device.start()
        defer { device.stop() }
        try plant(Self.leftovers)
        let second = try Agent(configuration: device.configuration(socket: "second.sock"))
        let error = #expect(throws: AgentError.self) { try second.run() }
        #expect(error?.code == .busy)
        for name in Self.leftovers { #expect(device.exists(name), "\(name)") }
    }

    @Test func `every write below it goes through its observer`() throws {
        let names = Names()
        let path = device.scratch.path("state")
        let state = try StateDirectory(path, observer: names)
        _ = try state.keys.key()
        let id = try #require(DeviceID(String(repeating: "a", count: 32)))
        try state.remember(enrolmentOf: id, at: "https://127.0.0.1:9")
        let root = MetadataFileName(.root)
        try MetadataFolder(state.folder(StateDirectory.metadataName)).store([1], as: root)
        let digest = try #require(SHA256Digest([UInt8](repeating: 1, count: 32)))
        TargetFolder(try state.folder(StateDirectory.targetsName)).keep([1], as: digest)
        #expect(
            names.made == [
                "mkdir \(path)", "rename \(path)/device.key", "rename \(path)/enrolment.json",
                "mkdir \(path)/metadata", "rename \(path)/metadata/root.json",
                "mkdir \(path)/targets", "rename \(path)/targets/\(digest.hex)",
            ])
    }
}

/// Writes down which names were made.
private final class Names: SyscallObserving {
    private let lines = Mutex<[String]>([])

    var made: [String] { lines.withLock { $0 } }

    func verdict(on call: Syscall) -> SyscallVerdict { .proceed }

    func made(_ call: Syscall, _ answer: Int64) {
        guard call.operation == .mkdir || call.operation == .rename else { return }
        lines.withLock { $0.append("\(call)") }
    }
}
