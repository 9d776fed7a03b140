import PosixFiles
import TestSupport

/// Cuts the power after each call of a story in turn: records it once, and makes the disks that a cut can leave.
package struct Cutting {
    /// Which points: every `stride`-th from `first` on; points count from 1.
    package let first: Int
    package let stride: Int
    /// How many disks of chance there are for each call.
    package let seeds: Int

    package init(first: Int, stride: Int, seeds: Int = 3) {
        self.first = first
        self.stride = stride
        self.seeds = seeds
    }

    /// Runs all.
    ///
    /// - Parameters:
    ///   - story: a fresh one.
    ///   - variant: of the device.
    ///   - most: failures after which it ends.
    /// - Returns: what was found.
    /// - Throws: `StoryError` where the story itself cannot be told.
    package func run(_ story: Story, variant: Variant? = nil, most: Int = 20) throws -> Tally {
        _ = Effects.vfs
        let after = AfterCrash(story: story, uncut: try AfterCrash.Uncut(story))
        let recorder = Recorder()
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        Effects.all.watch(variant?.observer(over: recorder) ?? recorder)
        do { try story.tell(in: scratch.path, witness: recorder, variant: variant) } catch {
            // A bad device may not get to the end of the story; its disk is cut off up to there.
            guard variant != nil else { throw error }
        }
        Effects.all.watch(nil)
        var tally = Tally(engine: "power cuts")
        var disk = DiskModel(path: scratch.path)
        var seen: [Sight] = []
        for event in recorder.events {
            switch event {
            case .sight(let sight): seen.append(sight)
            case .rot(let path, let offset, let byte): disk.rot(path, at: offset, byte)
            case .call(let call, let bytes, let mode):
                disk.apply(call, bytes, mode: mode)
                tally.points += 1
                guard tally.points >= first, (tally.points - first) % stride == 0 else { continue }
                var images: Set<DiskImage> = []
                for fate in fates(of: call, bytes.count, tally.points) {
                    let image = DiskImage(disk, fate)
                    guard images.insert(image).inserted else { continue }
                    tally.runs += 1
                    for complaint in try complaints(image, disk, seen, story, after) {
                        let chapter = Story.chapters[seen.chapter].name
                        tally.failures.append(
                            "power cut after \(tally.points), \(call.name(below: scratch.path)), "
                                + "\(fate), in '\(chapter)': \(complaint)")
                    }
                    if tally.failures.count >= most { return tally }
                }
            }
        }
        return tally
    }

    private func fates(of call: Syscall, _ count: Int, _ point: Int) -> [Fate] {
        var fates: [Fate] = [
            .nothing, .bytesWithoutNames, .namesWithoutBytes, .namesWithZeros,
        ]
        if count > 1 {
            fates += [1, count / 2, count - 1, (count - 1) / 512 * 512].map { .torn($0) }
        }
        return fates + (0..<seeds).map { .some(UInt64(point * seeds + $0)) }
    }

    private func complaints(
        _ image: DiskImage, _ disk: DiskModel, _ seen: [Sight], _ story: Story,
        _ after: AfterCrash
    ) throws -> [String] {
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        try image.write(disk, to: scratch.path)
        return try after.complaints(in: scratch.path, seen: seen)
    }
}
