import Glibc
import PosixFiles
import Primitives
import TestSupport

/// A folder for one run on a real disk, removed with this object.
final class Folder {
    private let path: String

    init(in base: String) throws {
        var template = Array("\(base)/fieldfare-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        guard made else { throw ChildError(call: "mkdtemp in \(base)", number: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let name = TargetPath(String(path.split(separator: "/").last ?? "")) else { return }
        let base = path.dropLast(name.description.utf8.count + 1)
        _ = try? Directory(opening: String(base)).removeTree(name)
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) throws {
        guard let name = TargetPath(name) else { preconditionFailure("a name of ours") }
        try Directory(opening: path).replace(name, with: bytes)
    }

    func text(_ name: String) throws -> String {
        guard let name = TargetPath(name) else { preconditionFailure("a name of ours") }
        return String(
            decoding: try Directory(opening: path).read(name, limit: 1 << 20), as: UTF8.self)
    }

    /// Waits up to ten seconds for a word in a file.
    func wait(for word: String, in name: String) throws {
        for _ in 0..<1_000 {
            if try text(name).contains(word) { return }
            SystemClock.pause(nanoseconds: 10_000_000)
        }
        throw ChildError(call: "no '\(word)' in \(name): \(try text(name))", number: ETIME)
    }

    /// Writes a configuration of an agent that has no registry, and returns its path.
    func configuration() throws -> String {
        try write(RepositorySimulator().trustedRoot, to: "root.json")
        let fields: JSONObject = [
            "registry": "https://127.0.0.1:9", "trusted_root": .string(path("root.json")),
            "state_directory": .string(path("state")), "socket": .string(path("agent.sock")),
            "model": "commands-en", "region": "eu", "device_class": "hub", "locale": "en-GB",
            "poll_interval_s": 86400, "connect_timeout_s": 1,
        ]
        try write(JSON.object(fields).bytes, to: "agent.json")
        return path("agent.json")
    }
}
