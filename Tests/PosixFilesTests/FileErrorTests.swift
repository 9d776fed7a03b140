import Glibc
import PosixFiles
import Testing

struct FileErrorTests {
    private static let table: [(FileError, String)] = [
        (.notFound(.open, path: "/r/f"), "cannot open '/r/f': no such file or folder"),
        (.exists(.rename, path: "/r/f"), "cannot rename '/r/f': it exists already"),
        (
            .insufficientStorage(.reserve, path: "/r/f", errno: ENOSPC),
            "cannot reserve '/r/f': no space left (ENOSPC)"
        ),
        (
            .linkRefused(.open, path: "/r/f"),
            "cannot open '/r/f': a symbolic link is in the way"
        ),
        (
            .wrongKind(path: "/r/f", expected: .file, found: .other),
            "cannot use '/r/f': expected a file, got a device, pipe or socket"
        ),
        (
            .linkEscapes(path: "/r/f"),
            "cannot use link '/r/f': expected a relative target without '..'"
        ),
        (
            .tooLarge(path: "/r/f", limit: 5, found: 6),
            "cannot use '/r/f': expected at most 5, got 6"
        ),
        (.differs(path: "/r/f"), "cannot publish '/r/f': other bytes are there already"),
        (
            .short(path: "/r/f", expected: 5, found: 4),
            "cannot read '/r/f': expected 5 bytes, got 4"
        ),
        (.busy(path: "/r/f"), "cannot lock '/r/f': another process holds it"),
        (.system(.sync, path: "/r/f", errno: EIO), "cannot sync '/r/f': input/output error"),
        (.system(.open, path: "/r/f", errno: EACCES), "cannot open '/r/f': permission denied"),
        (.system(.sync, path: "/r/f", errno: 9_999), "cannot sync '/r/f': unknown error 9999"),
    ]

    @Test func `says thing, expected and found in every case`() {
        for (error, text) in Self.table { #expect(error.description == text) }
    }

    @Test func `answers its caller's two questions`() {
        #expect(Self.table.map(\.0.isNotFound).firstIndex(of: true) == 0)
        #expect(Self.table.filter(\.0.isNotFound).count == 1)
        #expect(Self.table.map(\.0.isOutOfSpace).firstIndex(of: true) == 2)
        #expect(Self.table.filter(\.0.isOutOfSpace).count == 1)
    }
}
