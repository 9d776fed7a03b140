import Synchronization

/// The points of the story by name, with how often each comes: where a device is killed, cut off and failed.
package struct Points: Sendable {
    /// One line each, sorted: the count, and the name.
    package let lines: [String]

    package init(_ story: Story) throws {
        var counts: [String: Int] = [:]
        for name in try Self.names(story) { counts[name, default: 0] += 1 }
        lines = counts.sorted { $0.key < $1.key }.map { name, count in
            // A slow machine syncs a download once more: every second.
            let isByTime = name.hasPrefix("sync ") && name.hasSuffix(".part")
            return "\(isByTime ? "+" : "\(count)") \(name)"
        }
    }
    /// The names of all calls, in their order.
    ///
    /// - Parameters:
    ///   - story: a fresh one.
    ///   - variant: of the device; a bad one may not get to the end of the story.
    /// - Returns: as far as the story was told.
    /// - Throws: `StoryError` where a good device does not get to its end.
    static func names(_ story: Story, variant: Variant? = nil) throws -> [String] {
        let recorder = Recorder()
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        _ = Effects.vfs
        Effects.all.watch(variant?.observer(over: recorder) ?? recorder)
        defer { Effects.all.watch(nil) }
        do { try story.tell(in: scratch.path, witness: recorder, variant: variant) } catch {
            guard variant != nil else { throw error }
        }
        return recorder.events.compactMap {
            guard case .call(let call, _, _) = $0 else { return nil }
            return call.name(below: scratch.path)
        }
    }
}
