import PosixFiles
import Testing

@testable import CrashSupport

/// The imagined disk: what is durable, and what a power cut may leave of the rest.
struct DiskModelTests {
    private var disk = DiskModel(path: "/d")

    private mutating func make(_ name: String) {
        disk.apply(Syscall(.open, "/d/\(name)", isMaking: true), [], mode: 0o644)
    }

    private mutating func write(_ name: String, _ bytes: [UInt8]) {
        disk.apply(
            Syscall(.write, "/d/\(name)", range: 0..<Int64(bytes.count)), bytes, mode: 0)
    }

    private mutating func sync(_ name: String = "") {
        disk.apply(Syscall(.sync, name.isEmpty ? "/d" : "/d/\(name)"), [], mode: 0)
    }

    private mutating func rename(_ from: String, _ to: String) {
        disk.apply(Syscall(.rename, "/d/\(to)", other: "/d/\(from)"), [], mode: 0)
    }

    /// What is under a path after a power cut; nil for nothing.
    private func left(_ path: String, _ fate: Fate) -> [UInt8]? {
        let image = DiskImage(disk, fate)
        var node = DiskModel.root
        for part in path.split(separator: "/") {
            guard let next = image.names[node]?[String(part)] else { return nil }
            node = next
        }
        return disk.files[node]?.content(image.kept[node] ?? []).bytes
    }

    @Test mutating func `a sync of a file keeps its bytes, and not its name`() {
        make("f")
        write("f", [1, 2, 3, 4])
        sync("f")
        #expect(left("f", .nothing) == nil)
        #expect(left("f", .namesWithoutBytes) == [1, 2, 3, 4])
    }

    @Test mutating func `a sync of a folder keeps names, and not what they name`() {
        make("f")
        sync()
        write("f", [1, 2, 3, 4])
        #expect(left("f", .nothing) == [])
        #expect(left("f", .bytesWithoutNames) == [1, 2, 3, 4])
        #expect(left("f", .namesWithZeros) == [0, 0, 0, 0])
        #expect(left("f", .torn(1)) == [1])
        sync("f")
        #expect(left("f", .nothing) == [1, 2, 3, 4])
    }

    @Test mutating func `what is overwritten stays until it is synced`() {
        make("f")
        write("f", [1, 2, 3, 4])
        sync("f")
        sync()
        write("f", [5, 6])
        #expect(left("f", .nothing) == [1, 2, 3, 4])
        #expect(left("f", .torn(1)) == [5, 2, 3, 4])
        #expect(left("f", .namesWithZeros) == [1, 2, 3, 4])
    }

    @Test mutating func `a rename over folders is one step, with what came before it in both`() {
        disk.apply(Syscall(.mkdir, "/d/x"), [], mode: 0o755)
        sync()
        make("f")
        write("f", [7])
        sync("f")
        make("x/other")
        rename("f", "x/g")
        make("late")
        #expect(left("x/g", .nothing) == nil)
        sync("x")
        #expect(left("x/g", .nothing) == [7])
        #expect(left("f", .nothing) == nil)
        #expect(left("x/other", .nothing) == [])
        #expect(left("late", .nothing) == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    mutating func `names come in the order in which they changed`(seed: UInt64) {
        make("a")
        rename("a", "b")
        rename("b", "c")
        let names = ["a", "b", "c"].filter { left($0, .some(seed)) != nil }
        #expect(names.count <= 1)
    }

    @Test mutating func `chance keeps some of it, and not always the same`() {
        make("f")
        sync()
        write("f", [UInt8](repeating: 1, count: 2_000))
        let results = Set((0..<40).map { left("f", .some($0)) })
        #expect(results.count > 4)
        #expect(results.contains([]) && results.contains([UInt8](repeating: 1, count: 2_000)))
    }

    @Test mutating func `a byte that rots is on the disk at once`() {
        make("f")
        write("f", [1, 2])
        sync("f")
        sync()
        disk.rot("/d/f", at: 1, 9)
        #expect(left("f", .nothing) == [1, 9])
    }
}
