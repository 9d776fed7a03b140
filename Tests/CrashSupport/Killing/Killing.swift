import CCrashShims
import PosixFiles
import Synchronization
import TestSupport

/// Kills the device's process, really, after each change of the disk in turn.
package struct Killing {
    /// Which points: every `stride`-th from `first` on; points count from 1.
    package let first: Int
    package let stride: Int

    package init(first: Int, stride: Int) {
        self.first = first
        self.stride = stride
    }

    /// How much of the last call is made.
    enum Part: Hashable {
        case whole
        case bytes(Int64)
    }

    /// Runs all, until the story ends by itself.
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
        var tally = Tally(engine: "kills")
        var random = SeededGenerator(seed: UInt64(first))
        for last in Swift.stride(from: first, through: .max, by: stride) {
            guard let (name, bytes) = try kill(last, .whole, story, after, variant, &tally) else {
                break
            }
            tally.points += 1
            if name.hasPrefix("write") || name.hasPrefix("copy") {
                for part in Set([1, bytes / 2, bytes - 1]).sorted() where part > 0 && part < bytes {
                    _ = try kill(last, .bytes(part), story, after, variant, &tally)
                }
            }
            if last % 4 == 0 {
                let again = Int.random(in: 1...80, using: &random)
                _ = try kill(last, .whole, again: again, story, after, variant, &tally)
            }
            if tally.failures.count >= most { break }
        }
        return tally
    }

    /// One run; nil where the story ended before that point.
    private func kill(
        _ last: Int, _ part: Part, again: Int? = nil, _ story: Story, _ after: AfterCrash,
        _ variant: Variant?, _ tally: inout Tally
    ) throws -> (name: String, bytes: Int64)? {
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        var (ending, seen) = try Mortal.run { witness in
            Self.arm(last, part, in: scratch.path, witness, variant)
            try story.tell(in: scratch.path, witness: witness, variant: variant)
        }
        // A bad device may not get to the end of the story; up to there it is killed.
        if ending == .exited(0) || (variant != nil && ending == .exited(1)) { return nil }
        var point = seen.point
        tally.runs += 1
        if let again, ending == .signalled(9) {
            let second = try Mortal.run { witness in
                Self.arm(again, .whole, in: scratch.path, witness, variant)
                try story.tell(
                    in: scratch.path, from: seen.chapter, at: seen.moment, witness: witness,
                    variant: variant)
            }
            seen += second.sights
            if second.ending != .exited(0) { ending = second.ending }
        }
        var found = seen.failures
        if ending == .signalled(9) {
            found += try after.complaints(in: scratch.path, seen: seen)
        } else if found.isEmpty {
            found = ["it ended by \(ending) and not by SIGKILL"]
        }
        point = point ?? ("call \(last)", 0)
        for complaint in found {
            let cut = if case .bytes(let count) = part { ", \(count) bytes of it" } else { "" }
            let twice = again.map { " and \($0) calls after the restart" } ?? ""
            let chapter = Story.chapters[seen.chapter].name
            tally.failures.append(
                "killed after \(last), \(point?.name ?? "")\(cut)\(twice), in '\(chapter)': "
                    + complaint)
        }
        return point
    }

    private static func arm(
        _ last: Int, _ part: Part, in folder: String, _ witness: any Witnessing,
        _ variant: Variant?
    ) {
        let killer = Killer(last, part, in: folder, witness)
        Effects.all.watch(variant?.observer(over: killer) ?? killer)
    }
}

/// Ends this process after the k-th effect, or after a part of it.
private final class Killer: SyscallObserving {
    private let made = Mutex(0)
    private let last: Int
    private let part: Killing.Part
    private let folder: String
    private let witness: any Witnessing

    init(_ last: Int, _ part: Killing.Part, in folder: String, _ witness: any Witnessing) {
        self.last = last
        self.part = part
        self.folder = folder
        self.witness = witness
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard case .bytes(let count) = part, call.isEffect, made.withLock({ $0 }) == last - 1,
            call.operation == .write || call.operation == .copy
        else { return .proceed }
        return .atMost(Int(count))
    }

    func made(_ call: Syscall, _ answer: Int64) {
        guard call.isEffect else { return }
        let count = made.withLock { made in
            made += 1
            return made
        }
        guard count == last else { return }
        witness.see(.point(call.name(below: folder), Int64(call.range?.count ?? 0)))
        crash_kill()
    }
}
