import AgentCore
import Cryptography
import ModelBundle
import Primitives
import TestSupport

/// What must be so after a crash, at once and once the device has gone on; it asks nothing of the code under test.
struct AfterCrash {
    let story: Story
    let uncut: Uncut

    /// A telling of the story that nothing cuts.
    struct Uncut {
        let tree: [String]
        let sights: [Sight]

        init(_ story: Story) throws {
            let scratch = try Scratch()
            try story.prepare(scratch.path)
            let (ending, sights) = try Mortal.run { witness in
                try story.tell(in: scratch.path, witness: witness)
            }
            guard ending == .exited(0) else {
                throw StoryError("the story that nothing cuts: \(ending), \(sights.failures)")
            }
            self.sights = sights
            tree = try Scratch.tree(scratch.path)
        }
    }

    /// Looks at what a crash has left, lets a new device go on from there, and looks again.
    ///
    /// The new one is a good device also after a bad one: what is found is then what the crash has left.
    ///
    /// - Parameters:
    ///   - folder: the story's.
    ///   - seen: what was seen up to the crash.
    /// - Returns: what was not as it must be.
    /// - Throws: `StoryError` where nothing can be found out.
    func complaints(in folder: String, seen: [Sight]) throws -> [String] {
        var found = bundle(in: folder, seen)
        guard found.isEmpty else { return found }
        let (ending, sights) = try recover(in: folder, seen: seen)
        found += sights.failures
        if ending != .exited(0), sights.failures.isEmpty { found.append("it ended by \(ending)") }
        guard found.isEmpty else { return found }
        return try complaintsAtEnd(in: folder, seen: seen + sights)
    }

    /// Looks at a device that has told the story to its end.
    func complaintsAtEnd(in folder: String, seen: [Sight]) throws -> [String] {
        var found = rules(seen) + bundle(in: folder, seen)
        let tree = try Scratch.tree(folder)
        for line in Set(tree).symmetricDifference(uncut.tree).sorted() {
            found.append("\(tree.contains(line) ? "left over" : "missing"): \(line)")
        }
        return found
    }

    /// Lets a new device go on from where the story was.
    private func recover(
        in folder: String, seen: [Sight]
    ) throws -> (ending: Mortal.Ending, sights: [Sight]) {
        try Mortal.run { witness in
            let before = Mortal.openDescriptors()
            try story.tell(
                in: folder, from: seen.chapter, at: seen.moment, witness: witness,
                started: {
                    let found = bundle(in: folder, seen)
                    if !found.isEmpty { throw StoryError("after the start: \(found)") }
                })
            let after = Mortal.openDescriptors()
            if after != before {
                throw StoryError("expected \(before) open descriptors, got \(after)")
            }
        }
    }

    // MARK: The active bundle

    /// Why not exactly one whole bundle is active, by hashing of our own.
    func bundle(in folder: String, _ seen: [Sight]) -> [String] {
        let slots = DiskParts.state(in: folder) + "/slots"
        guard let slot = Scratch.link(slots + "/current") else {
            return seen.hasModel ? ["no slot is active, though \(seen.lastActive) was"] : []
        }
        guard slot == "a" || slot == "b" else { return ["current names '\(slot)'"] }
        guard let bytes = Scratch.bytes("\(slots)/\(slot)/manifest.json") else {
            return ["slot \(slot) is active and not sealed"]
        }
        guard let bundle = story.bundles.first(where: { $0.target.bytes == bytes }) else {
            return ["slot \(slot) is active with a manifest that nobody published"]
        }
        var found: [String] = []
        let version = bundle.target.manifest.version
        for (name, good) in bundle.files.sorted(by: { $0.key < $1.key }) {
            let there = Scratch.bytes("\(slots)/\(slot)/\(name)")
            if there == good || isRot(there, of: good, name, version.description, seen) { continue }
            found.append(
                "\(version) is active in slot \(slot), and \(name) is "
                    + (there.map { "another of \($0.count) bytes" } ?? "missing"))
        }
        return found
    }

    /// Whether these are the bytes that the story itself has let rot, while it tells of that.
    private func isRot(
        _ bytes: [UInt8]?, of good: [UInt8], _ name: String, _ version: String, _ seen: [Sight]
    ) -> Bool {
        guard let bytes, Story.chapters[seen.chapter].name == "rot", version == "1.3.0",
            name == "model.onnx", let first = good.first
        else { return false }
        return bytes == [StoryDevice.rotten(first)] + good.dropFirst()
    }

    // MARK: What was seen

    static let refusedStart = "applications have no agent, for it does not start"

    /// What of all that was seen cannot be.
    private func rules(_ seen: [Sight]) -> [String] {
        var found: [String] = []
        var rejected: Set<String> = []
        var bodies: [Int64: SHA256Digest] = [:]
        var keys: Set<SHA256Digest> = []
        var hasModel = false
        for sight in seen {
            switch sight {
            case .rejected(let version): rejected.insert(version)
            case .active(let version?) where rejected.contains(version):
                found.append("\(version) is active again after it was rejected")
            case .reported(let sequence, let digest, let what):
                if bodies.updateValue(digest, forKey: sequence) ?? digest != digest {
                    found.append("report \(sequence) (\(what)) had another body before")
                }
            case .key(let digest): keys.insert(digest)
            case .active(_?): hasModel = true
            case .refused(let why) where hasModel:
                found.append("\(Self.refusedStart): \(why)")
                hasModel = false
            default: break
            }
        }
        if keys.count > 1 { found.append("the device has another key than before") }
        let missing = uncut.sights.reports.subtracting(seen.reports)
        if !missing.isEmpty { found.append("never reported: \(missing.sorted())") }
        for (version, most) in uncut.sights.probes {
            // One that was cut off is made once more; the chapter that it was in may begin anew.
            let count = seen.probes[version] ?? 0
            if count > most + 2 { found.append("\(count) smoke tests of \(version)") }
        }
        return found
    }
}

extension [Sight] {
    /// The chapter that the story was in.
    var chapter: Int {
        for case .chapter(let number) in reversed() { return number }
        return 0
    }

    var time: Int64 {
        for case .time(let seconds) in reversed() { return seconds }
        return Story.start.seconds
    }

    var moment: UTCTime { UTCTime(clamping: time) }

    /// The call after which the process was killed.
    var point: (name: String, bytes: Int64)? {
        for case .point(let name, let bytes) in reversed() { return (name, bytes) }
        return nil
    }

    var failures: [String] {
        compactMap { if case .failure(let text) = $0 { text } else { nil } }
    }

    var hasModel: Bool { contains { if case .active(_?) = $0 { true } else { false } } }

    var lastActive: String {
        for case .active(let version) in reversed() { return version ?? "none" }
        return "none"
    }

    /// Kinds and candidates of events that were reported; periodic reports have no names.
    var reports: Set<String> {
        Set(
            compactMap { sight in
                guard case .reported(_, _, let what) = sight, !what.hasPrefix("periodic")
                else { return nil }
                return what
            })
    }

    var probes: [String: Int] {
        var counts: [String: Int] = [:]
        for case .probed(let version) in self { counts[version, default: 0] += 1 }
        return counts
    }
}
