import AgentCore
import AgentJournal
import Glibc
import ModelBundle
package import Primitives
import Rollouts
import TUF
package import TestSupport

/// A device's life in chapters: a first install, updates, ways back of every kind, rot, an outage, orders.
///
/// Each chapter leads to its end from wherever a crash has left the device in it, and says what must be so then.
package struct Story: Sendable {
    struct Chapter: Sendable {
        let name: String
        /// Which state of the registry it is told in.
        let world: Int
        let act: @Sendable (StoryDevice) throws -> Void
    }

    package static let start = UTCTime(clamping: 1_800_000_000)

    let registry: MemoryRegistry
    /// The repository as it is signed, one state after the other.
    private let worlds: [SimulatedRepository]
    /// Every bundle that was ever published.
    package let bundles: [MemoryBundle]

    /// Publishes and signs everything once.
    package init() throws {
        let registry = MemoryRegistry(now: Self.start)
        self.registry = registry
        let bundles = try Self.published()
        self.bundles = bundles
        var references: [BundleReference] = []
        for bundle in bundles {
            references.append(
                try registry.publish(
                    bundle, policy: MemoryRegistry.everybody(from: Self.start),
                    now: Self.start))
        }
        var worlds: [SimulatedRepository] = []
        func sign(
            _ candidate: Int, over baseline: Int?, _ state: Plan.State = .running,
            withdrawn: [Int] = []
        ) {
            registry.sign(
                references[candidate], over: baseline.map { references[$0] }, state: state,
                withdrawn: withdrawn.map { references[$0] },
                at: Self.start + Int64(worlds.count))
            worlds.append(registry.simulator.repository)
        }
        sign(0, over: nil, .completed)
        sign(1, over: 0)
        sign(2, over: 0)
        sign(2, over: 0, .rolledBack, withdrawn: [2])
        sign(3, over: 0, withdrawn: [2])
        sign(4, over: 3, withdrawn: [2])
        self.worlds = worlds
    }

    private static let day: Int64 = 86_400

    /// 1.0.0 to 1.4.0: files that stay, change, are equal to each other, lie deep, and are of two chunks.
    private static func published() throws -> [MemoryBundle] {
        let shared: [UInt8] = MemoryBundle.noise(5_000, seed: 1)
        let chunk = MemoryBundle.noise(4 << 20, seed: 2)
        return [
            try MemoryBundle("1.0.0", ["shared.bin": shared, "dropped.bin": [1]]),
            try MemoryBundle(
                "1.1.0", ["shared.bin": shared, "twin.bin": shared, "deep/er/file.bin": [3, 3]]),
            try MemoryBundle(
                "1.2.0",
                ["shared.bin": shared, "deep/er/file.bin": [3, 3], "large.bin": chunk + [1]]),
            try MemoryBundle("1.3.0", ["shared.bin": shared, "large.bin": chunk + [2]]),
            try MemoryBundle("1.4.0", ["twin.bin": [7], "large.bin": chunk + [2]]),
        ]
    }

    // MARK: What happens

    /// Long enough for a smoke test that was cut off to be made again, and for every rest in between.
    private static let patience: Int64 = 2 * day

    static let chapters: [Chapter] = [
        Chapter(name: "first install", world: 0) { device in
            try device.wait(patience, until: "1.0.0") { device.version == "1.0.0" }
            device.speak(250) { !device.isCommitted }
            try device.wait(patience, until: "1.0.0 committed") { device.isCommitted }
        },
        Chapter(name: "update", world: 1) { device in
            try device.wait(patience, until: "1.1.0") {
                device.version == "1.1.0" || device.refuses("1.1.0")
            }
        },
        Chapter(name: "local rollback", world: 1) { device in
            device.speak(400, milliseconds: 1_200) { device.version == "1.1.0" }
            try device.wait(patience, until: "back on 1.0.0") {
                device.version == "1.0.0" && device.refuses("1.1.0") && device.isAtRest
            }
        },
        Chapter(name: "offered again", world: 1) { device in
            device.pass(1_300)
            try device.wait(0, until: "still 1.0.0") { device.version == "1.0.0" }
        },
        Chapter(name: "update to commit", world: 2) { device in
            try device.wait(patience, until: "1.2.0") { device.version == "1.2.0" }
            device.speak(250) { !device.isCommitted }
            try device.wait(patience, until: "1.2.0 committed") { device.isCommitted }
        },
        Chapter(name: "withdrawal", world: 3) { device in
            device.registry.forgetRequests()
            try device.wait(patience, until: "back on 1.0.0") {
                device.version == "1.0.0" && device.isAtRest
            }
            if device.registry.requests.contains(where: { $0.hasPrefix("blobs") }) {
                throw StoryError("expected no download for a way back, got one")
            }
        },
        Chapter(name: "outage", world: 3) { device in
            device.registry.fail(.unreachable("no route"))
            defer { device.registry.fail(nil) }
            device.pass(4_000)
            try device.wait(0, until: "still 1.0.0") { device.version == "1.0.0" }
        },
        Chapter(name: "re-update", world: 4) { device in
            try device.wait(patience, until: "1.3.0") { device.version == "1.3.0" }
            device.speak(250) { !device.isCommitted }
            try device.wait(patience, until: "1.3.0 committed") { device.isCommitted }
        },
        Chapter(name: "rot", world: 4) { device in
            if device.version == "1.3.0" {
                try device.rot("model.onnx", from: UInt8(ascii: "m"))
                // Where the journal fails meanwhile, all is repaired when it can say that it was not.
                try device.wait(patience, until: "the rot seen") {
                    device.version == "1.0.0"
                        || device.version == "1.3.0" && !device.isRotten("model.onnx")
                }
            }
            try device.wait(patience, until: "1.3.0 again") { device.version == "1.3.0" }
            device.speak(250) { !device.isCommitted }
            try device.wait(patience, until: "1.3.0 committed") { device.isCommitted }
        },
        Chapter(name: "hold in a download", world: 5) { device in
            device.registry.breakBlobs(after: 1)
            defer { device.registry.breakBlobs(after: nil) }
            if !device.memory.isHeld {
                try device.wait(patience, until: "a download") { device.state == "downloading" }
                device.order(.hold)
            }
            device.pass(60)
            try device.wait(patience, until: "1.3.0 at rest") {
                device.version == "1.3.0" && device.isAtRest
            }
        },
        Chapter(name: "hold ends", world: 5) { device in
            if device.memory.isHeld { device.order(.unhold) }
            try device.wait(patience, until: "1.4.0") { device.version == "1.4.0" }
            device.speak(250) { !device.isCommitted }
            try device.wait(patience, until: "1.4.0 committed") { device.isCommitted }
        },
        Chapter(name: "rest", world: 5) { device in
            // Polls that find nothing new, and forget what is needed no more.
            device.pass(1_300)
            try device.wait(patience, until: "every report sent") {
                let waiting = try? device.parts.journal.queue(limit: 1)
                return device.isAtRest && waiting?.isEmpty ?? false
            }
        },
    ]

    /// Lets the registry be as it is in a chapter.
    func turn(to chapter: Int) {
        let world = worlds[Self.chapters[chapter].world]
        registry.simulator.edit { $0 = world }
        registry.fail(nil)
        registry.breakBlobs(after: nil)
    }

    /// Puts what a device has from its maker into an empty folder.
    func prepare(_ folder: String) throws {
        let bytes = registry.simulator.trustedRoot
        guard let file = unsafe fopen(DiskParts.root(in: folder), "w") else {
            throw StoryError("cannot write below \(folder)")
        }
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, count == bytes.count else {
            throw StoryError("cannot write below \(folder)")
        }
    }

    /// Tells the story to its end: from its beginning, or from where an earlier device ended.
    ///
    /// The agent is restarted in good order once, before the last chapter.
    ///
    /// - Parameters:
    ///   - folder: as `prepare` has left it, or an earlier telling.
    ///   - first: the number of the chapter in which the device starts.
    ///   - time: when.
    ///   - witness: sees what happens, beginning with the chapter.
    ///   - variant: a device that does one thing wrong; nil for the real one.
    ///   - isInsisting: whether an agent that cannot start is started again, every five seconds, as systemd does.
    ///   - started: runs once the device has started.
    /// - Throws: `StoryError` where a chapter does not end as it must.
    func tell(
        in folder: String, from first: Int = 0, at time: UTCTime = start,
        witness: any Witnessing, variant: Variant? = nil, isInsisting: Bool = false,
        started: () throws -> Void = {}
    ) throws {
        func open(at now: UTCTime) throws -> StoryDevice {
            var now = now
            while true {
                do {
                    return try StoryDevice(
                        in: folder, registry, at: now, witness: witness, variant: variant)
                } catch {
                    guard isInsisting, now < Self.start + 100 * Self.day else { throw error }
                    witness.see(.refused("\(error)".replacing("\n", with: " ")))
                    now = now + 5
                    witness.see(.time(now.seconds))
                }
            }
        }
        turn(to: first)
        var device: StoryDevice? = try open(at: time)
        try started()
        for (number, chapter) in Self.chapters.enumerated().dropFirst(first) {
            turn(to: number)
            witness.see(.chapter(number))
            // A fault that lasts ends before the story, and what was given up for it is taken back with the next report.
            let isLast = number == Self.chapters.count - 1
            let now = try Self.act(
                chapter, on: device, resting: isInsisting && isLast ? 3 * Failing.span : 0)
            guard number == Self.chapters.count - 2 else { continue }
            // The old one's lock and database go first.
            device = nil
            device = try open(at: now)
        }
    }

    /// Lets a chapter happen, and ends the agent in good order, which it does not mind; returns when that was.
    private static func act(
        _ chapter: Chapter, on device: StoryDevice?, resting seconds: Int64
    ) throws -> UTCTime {
        guard let device else { preconditionFailure("a device is there") }
        do {
            try chapter.act(device)
            if seconds > 0 {
                device.witness.see(.told)
                device.pass(seconds)
            }
        } catch {
            throw StoryError("chapter '\(chapter.name)': \(error)")
        }
        device.stop()
        return device.now
    }
}

extension StoryDevice {
    func refuses(_ version: String) -> Bool {
        memory.trials.trials.contains {
            $0.bundle.version.description == version && $0.rejection != nil
        }
    }

    var isAtRest: Bool { if case .resting = driver.machine.state { true } else { false } }
}
