import Synchronization

/// The points of the story by name, with how often each comes: where a device is killed, cut off and failed.
package struct Points: Sendable {
    /// One line each, sorted: the count, and the name.
    package let lines: [String]

    package init(_ story: Story) throws {
        let recorder = Recorder()
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        _ = Effects.vfs
        Effects.all.watch(recorder)
        defer { Effects.all.watch(nil) }
        try story.tell(in: scratch.path, witness: recorder)
        var counts: [String: Int] = [:]
        for case .call(let call, _, _) in recorder.events {
            counts[call.name(below: scratch.path), default: 0] += 1
        }
        lines = counts.sorted { $0.key < $1.key }.map { name, count in
            // A slow machine syncs a download once more: every second.
            let isByTime = name.hasPrefix("sync ") && name.hasSuffix(".part")
            return "\(isByTime ? "+" : "\(count)") \(name)"
        }
    }
}
