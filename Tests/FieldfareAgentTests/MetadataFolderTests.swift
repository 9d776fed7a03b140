import FieldfareAgent
import Glibc
import PosixFiles
import Primitives
import TUF
import TestSupport
import Testing

struct MetadataFolderTests {
    /// A folder of the state directory, with what lies beside it in sight.
    private struct Place: MetadataStoreUnderTest {
        let scratch = ScratchFolder("metadata")

        func opened() throws -> MetadataFolder {
            MetadataFolder(try Directory(making: scratch.path("state/metadata")))
        }

        func files() throws -> [String: [UInt8]] {
            var files: [String: [UInt8]] = [:]
            for (folder, prefix) in [("", "../../"), ("/state", "../"), ("/state/metadata", "")] {
                let directory = try Directory(opening: scratch.path + folder)
                for entry in try directory.list() where entry.kind != .folder {
                    let path = try #require(TargetPath(entry.name))
                    files[prefix + entry.name] = try directory.read(path, limit: 1 << 20)
                }
            }
            return files
        }
    }

    @Test func `the agent's folder keeps metadata as the port asks`() throws {
        try MetadataStoringSuite { Place() }.run()
    }

    @Test func `follows no link that somebody planted in a file's place`() throws {
        let place = Place()
        let store = try place.opened()
        let outside = place.scratch.path("outside")
        let file = unsafe open(outside, O_CREAT | O_WRONLY, 0o600)
        close(file)
        let link = place.scratch.path("state/metadata/root.json")
        try #require(unsafe symlink(outside, link) == 0)
        let root = MetadataFileName(.root)
        #expect(throws: FileError.linkRefused(.open, path: link)) {
            try store.load(root, limit: 10)
        }
        try store.store([1], as: root)
        #expect(try place.files() == ["../../outside": [], "root.json": [1]])
    }
}
