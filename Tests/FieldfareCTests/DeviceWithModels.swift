import AgentCore
import PosixFiles
import Primitives
import SlotHost
import TestSupport
import Testing

/// A device in a folder: two bundles, the newer active, and `fieldfare-agent` in a process of its own.
struct DeviceWithModels {
    let scratch = ScratchFolder("c")

    var socket: String { scratch.path("agent.sock") }
    var slots: String { scratch.path("state/slots") }
    private var configuration: String { scratch.path("agent.json") }

    init() throws {
        let folder = try SlotFolder(Directory(making: slots))
        for (version, slot) in [("1.0.0", Slot.a), ("1.1.0", .b)] {
            let bundle = try MemoryBundle(version)
            _ = try folder.stage(
                bundle.target, into: slot, from: MemorySource([bundle]), until: Interrupt())
        }
        try folder.activate(.b)
        let root = scratch.path("root.json")
        try write(RepositorySimulator().trustedRoot, to: root)
        let fields: JSONObject = [
            "registry": "https://127.0.0.1:9", "trusted_root": .string(root),
            "state_directory": .string(scratch.path("state")), "socket": .string(socket),
            "model": "commands-en", "region": "eu", "device_class": "hub", "locale": "en-GB",
            "connect_timeout_s": 1,
        ]
        try write(JSON.object(fields).bytes, to: configuration)
    }

    func write(_ bytes: [UInt8], to path: String) throws {
        let (folder, name) = try Self.place(path)
        try folder.replace(name, with: bytes)
    }

    func read(_ name: String) throws -> String? {
        let (folder, file) = try Self.place(scratch.path(name))
        return try folder.readIfPresent(file, limit: 1 << 20).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private static func place(_ path: String) throws -> (Directory, TargetPath) {
        let parts = path.split(separator: "/")
        let folder = try Directory(opening: "/" + parts.dropLast().joined(separator: "/"))
        return (folder, try #require(TargetPath(String(parts[parts.count - 1]))))
    }

    // MARK: Processes

    /// Waits for what a program has to have done.
    func wait(
        for what: String, at location: SourceLocation = #_sourceLocation,
        _ isDone: () throws -> Bool
    ) throws {
        for _ in 0..<1_500 {
            if try isDone() { return }
            SystemClock.pause(nanoseconds: 20_000_000)
        }
        Issue.record("waited 30 seconds for \(what)", sourceLocation: location)
    }

    /// Starts the agent, and waits until it answers.
    func startAgent() throws -> RunningProgram {
        let agent = try RunningProgram(
            [ChildProcess.program("fieldfare-agent"), "run", "--config", configuration],
            outputs: scratch.path("agent"))
        try wait(for: "the agent") { (try? AgentClient(connecting: socket)) != nil }
        return agent
    }
}
