import AgentCore
import PosixFiles
import Primitives

/// What the kernel says of a process (proc(5)).
struct RunningProcess {
    private static let byteLimit = 4_096

    /// The folder that the kernel shows processes in.
    let root: String

    init(root: String = "/proc") { self.root = root }

    /// The process that speaks for an application; nil where the kernel does not show it, as from another namespace.
    func identity(of process: Int32, as application: String) -> ApplicationProcess? {
        guard process > 0, let ticks = startTicks(of: Int64(process)), let boot else { return nil }
        return ApplicationProcess(
            application: application, process: Int64(process), startTicks: ticks, boot: boot)
    }

    /// Whether a process of this boot still runs.
    func isRunning(_ process: ApplicationProcess) -> Bool {
        startTicks(of: process.process) == process.startTicks
    }

    private var boot: String? {
        text("sys/kernel/random", "boot_id").map { String($0.prefix { !$0.isNewline }) }
    }

    /// Field 22 of `stat`: the 20th after the name in brackets, which may itself have brackets and spaces.
    private func startTicks(of process: Int64) -> Int64? {
        guard let text = text("\(process)", "stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? Int64(fields[19]) : nil
    }

    /// The kernel's files have no length to go by.
    private func text(_ folder: String, _ name: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: Self.byteLimit)
        guard let path = TargetPath(name),
            let folder = try? Directory(opening: "\(root)/\(folder)"),
            let count = try? folder.open(path, .reading).read(into: &bytes, at: 0)
        else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
