import AgentCore
import ModelBundle
import PosixFiles
import Primitives
import TestSupport
import Testing

extension MemoryBundle {
    /// Requires that `current` names a slot with exactly these files, asking nothing of the code under test.
    ///
    /// - Parameter path: of the slots' folder.
    /// - Throws: where they cannot be read.
    func requireActive(in path: String) throws {
        let current = try #require(TargetPath("current"))
        let slot = try #require(try Directory(opening: path).readLink(current))
        let folder = try Directory(opening: "\(path)/\(slot)")
        var expected = files
        expected["manifest.json"] = target.bytes
        for (name, bytes) in expected {
            let there = try folder.readIfPresent(Self.path(name), limit: 64 << 20)
            #expect(there == bytes, "\(name) of \(target.manifest.version)")
        }
    }
}
