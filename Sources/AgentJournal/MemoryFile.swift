import AgentCore
import PosixFiles
import Primitives

/// `memory.json` beside the journal, which outlives it; for one thread.
struct MemoryFile {
    static let fileName = "memory.json"

    private let directory: Directory
    private let path: TargetPath
    /// What the file holds; nil where it holds nothing that can be read.
    private(set) var held: LastingMemory?
    /// Why the file cannot be read or written.
    private(set) var trouble: String?

    init(in directory: Directory) {
        self.directory = directory
        guard let path = TargetPath(Self.fileName) else { preconditionFailure(Self.fileName) }
        self.path = path
        do {
            let bytes = try directory.readIfPresent(path, limit: LastingMemory.byteLimit)
            held = try bytes.map {
                try LastingMemory(JSON(parsing: $0, limit: LastingMemory.byteLimit))
            }
        } catch { trouble = "\(error)" }
    }

    /// Writes a memory durably, where it is another one.
    ///
    /// A failure is told by `trouble`, and the next call tries again: the journal has the same.
    mutating func keep(_ memory: LastingMemory) {
        guard memory != held else { return }
        do throws(FileError) {
            try directory.replace(path, with: memory.json.bytes, mode: .ownerOnly)
            held = memory
            trouble = nil
        } catch { trouble = "\(error)" }
    }
}
