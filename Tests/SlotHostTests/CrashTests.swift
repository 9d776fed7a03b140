import AgentCore
import PosixFiles
import Primitives
import SlotHost
import TestSupport
import Testing

/// A process that is killed before its k-th system call, for every k; then a new one takes over.
struct CrashTests {
    /// What happens to a device that runs 1.0.0 from slot a, with 0.9.0 in slot b.
    struct Scene {
        let before: MemoryBundle
        let old: MemoryBundle
        let new: MemoryBundle
        let source: MemorySource

        init() throws {
            before = try MemoryBundle("0.9.0", ["shared.bin": [1, 1], "dropped.bin": [2]])
            old = try MemoryBundle("1.0.0", ["deep/er/file.bin": [3, 3, 3]])
            new = try MemoryBundle(
                "1.1.0",
                ["shared.bin": [1, 1], "deep/er/file.bin": [3, 3, 3], "twin.bin": [1, 1]])
            source = MemorySource([before, old, new])
        }

        func prepare(_ disk: Disk) throws {
            let slots = try disk.open()
            _ = try slots.stage(before.target, into: .b, from: source, until: Interrupt())
            _ = try slots.stage(old.target, into: .a, from: source, until: Interrupt())
            try slots.activate(.a)
        }

        func update(_ slots: SlotFolder) throws {
            _ = try slots.stage(new.target, into: .b, from: source, until: Interrupt())
            try slots.verify(.b, holds: new.target.reference, until: Interrupt())
            try slots.activate(.b)
        }

        /// What has seen an update that nobody interrupts.
        func watched() throws -> Killer {
            let disk = Disk(isInMemory: true)
            try prepare(disk)
            let killer = Killer()
            try update(try disk.open(observer: killer))
            return killer
        }
    }

    @Test func `leaves the old bundle or the new one active and whole, whichever call is the last`()
        throws
    {
        let scene = try Scene()
        let count = try scene.watched().count
        #expect(count > 300)
        // The first call is the one that opens the folder.
        for last in 1..<count {
            let disk = Disk(isInMemory: true)
            try scene.prepare(disk)
            #expect(throws: SlotError.self, "call \(last)") {
                try scene.update(try disk.open(observer: Killer(after: last)))
            }
            let slots = try disk.open()
            let survey = try slots.survey()
            let active = try #require(survey.active, "call \(last)")
            let bundle = active == .a ? scene.old : scene.new
            #expect(survey.contents[active] == .whole(bundle.target.reference), "call \(last)")
            try disk.requireBundle(bundle, in: active)
            if active == .a { try scene.update(slots) }
            try disk.requireBundle(scene.new, in: .b)
            try disk.requireBundle(scene.old, in: .a)
            #expect(try slots.survey().active == .b)
            #expect(
                try disk.names() == ["a", "a.lease", "b", "b.lease", "current"], "call \(last)")
        }
    }

    @Test func `gives all room back, whichever call of staging or of giving back is the last`()
        throws
    {
        let scene = try Scene()
        let count = try scene.watched().count
        for last in stride(from: 1, to: count, by: 5) {
            let disk = Disk(isInMemory: true)
            try scene.prepare(disk)
            try? scene.update(try disk.open(observer: Killer(after: last)))
            guard try disk.open().survey().active == .a else { continue }
            for cut in stride(from: 1, to: 60, by: 4) {
                try? disk.open(observer: Killer(after: cut)).discard(.b)
            }
            try disk.open().discard(.b)
            let contents = try disk.open().survey().contents.b
            let bundles = [scene.before, scene.new].map(\.target.reference)
            let isSealed = contents.wholeBundle.map { bundles.contains($0) } ?? false
            #expect(isSealed || contents == .empty, "call \(last): \(contents)")
            #expect(
                try disk.names() == ["a", "a.lease"] + (isSealed ? ["b"] : [])
                    + ["b.lease", "current"], "call \(last)")
            try disk.requireBundle(scene.old, in: .a)
        }
    }

    @Test func `fetches nothing twice, whichever call of staging is the last`() throws {
        let scene = try Scene()
        let count = try scene.watched().count
        for last in stride(from: 0, to: count, by: 7) {
            let disk = Disk(isInMemory: true)
            try scene.prepare(disk)
            let source = MemorySource([scene.new])
            let slots = try disk.open()
            func stage(_ slots: SlotFolder) throws {
                _ = try slots.stage(scene.new.target, into: .b, from: source, until: Interrupt())
            }
            try? stage(try disk.open(observer: Killer(after: last)))
            try stage(slots)
            // The one file that neither slot had; it may have come and not have been written.
            let file = Int64("model 1.1.0".utf8.count)
            #expect([file, 2 * file].contains(source.sentBytes), "call \(last)")
        }
    }

    @Test func `makes bytes and names durable before it seals, and before it activates`() throws {
        let scene = try Scene()
        var dirty: Set<String> = []
        var seals = 0
        var switches = 0
        for call in try scene.watched().made {
            // A temporary file or donor that is not gone after a crash is removed by the next start or staging.
            if call.operation == .unlink,
                call.path.contains("/.new-") || call.path.hasSuffix(".donor")
            {
                dirty.remove(call.path)
                continue
            }
            let isSeal = call.operation == .rename && call.path.hasSuffix("/b/manifest.json")
            let isSwitch = call.operation == .rename && call.path.hasSuffix("/current")
            if isSeal { seals += 1 }
            if isSwitch { switches += 1 }
            if isSeal || isSwitch {
                // The temporary link itself is what the rename is about to make durable.
                let left = dirty.filter { !(isSwitch && $0 == Self.folder(of: call.path)) }
                #expect(left == [], "before \(call)")
            }
            switch call.operation {
            case .write, .truncate, .chmod, .copy, .clone: dirty.insert(call.path)
            case .rename, .link, .mkdir, .symlink, .unlink:
                dirty.insert(Self.folder(of: call.path))
                if call.operation == .unlink { dirty.remove(call.path) }
            case .sync: dirty.remove(call.path)
            default: break
            }
        }
        #expect(seals == 1)
        #expect(switches == 1)
        // A folder that was removed with all that was in it needs no sync; nothing else is left.
        #expect(dirty.allSatisfy { $0.contains("/b.staging") || $0.contains("/b/") }, "\(dirty)")
    }

    private static func folder(of path: String) -> String {
        "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }
}
