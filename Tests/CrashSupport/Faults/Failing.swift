import CCrashShims
import Glibc
import PosixFiles
import Primitives
import Synchronization

/// Lets each change of the disk fail in turn: once, or from then on for half an hour of the story.
package struct Failing {
    /// What a call answers instead of being made.
    enum Fault: CaseIterable, CustomStringConvertible {
        case noSpace, noQuota, ioError, short
        case noSpaceFromThere, noQuotaFromThere, ioErrorFromThere
        /// The process is killed there, and a new one meets the fault from its first call on.
        case noSpaceAtRestart, ioErrorAtRestart

        var isLong: Bool {
            switch self {
            case .noSpace, .noQuota, .ioError, .short: false
            case .noSpaceFromThere, .noQuotaFromThere, .ioErrorFromThere, .noSpaceAtRestart,
                .ioErrorAtRestart:
                true
            }
        }

        var isAtRestart: Bool { self == .noSpaceAtRestart || self == .ioErrorAtRestart }

        var verdict: SyscallVerdict {
            switch self {
            case .noSpace, .noSpaceFromThere, .noSpaceAtRestart: .fail(errno: ENOSPC)
            case .noQuota, .noQuotaFromThere: .fail(errno: EDQUOT)
            case .ioError, .ioErrorFromThere, .ioErrorAtRestart: .fail(errno: EIO)
            case .short: .atMost(1)
            }
        }

        /// Whether this call can meet it.
        func concerns(_ call: Syscall) -> Bool {
            switch self {
            case .short: (call.range?.count ?? 0) > 1 && [.write, .copy].contains(call.operation)
            case .ioError, .ioErrorFromThere, .ioErrorAtRestart: true
            case .noSpace, .noQuota, .noSpaceFromThere, .noQuotaFromThere, .noSpaceAtRestart:
                switch call.operation {
                // What is there already takes no room.
                case .open, .mkdir: unsafe access(call.path, F_OK) != 0
                case .write, .copy, .clone, .reserve, .link, .symlink, .rename, .sync: true
                default: false
                }
            }
        }

        /// Whether an agent may be refused its start by it: where nothing can be opened, applications lease without one.
        var forbidsStart: Bool { verdict == .fail(errno: EIO) }

        var description: String {
            switch self {
            case .noSpace: "ENOSPC"
            case .noQuota: "EDQUOT"
            case .ioError: "EIO"
            case .short: "a short write"
            case .noSpaceFromThere: "ENOSPC from there on"
            case .noQuotaFromThere: "EDQUOT from there on"
            case .ioErrorFromThere: "EIO from there on"
            case .noSpaceAtRestart: "a kill, and then ENOSPC"
            case .ioErrorAtRestart: "a kill, and then EIO"
            }
        }
    }

    package let first: Int
    package let stride: Int

    package init(first: Int, stride: Int) {
        self.first = first
        self.stride = stride
    }

    /// How long a fault that stays does so, in seconds of the story.
    static let span: Int64 = 1_800

    /// Runs all, until the story ends before the call that is to fail.
    ///
    /// - Parameters:
    ///   - story: a fresh one.
    ///   - most: failures after which it ends.
    /// - Returns: what was found.
    /// - Throws: `StoryError` where the story itself cannot be told.
    package func run(_ story: Story, most: Int = 20) throws -> Tally {
        _ = Effects.vfs
        let after = AfterCrash(story: story, uncut: try AfterCrash.Uncut(story))
        var tally = Tally(engine: "faults")
        for number in Swift.stride(from: first, through: .max, by: stride) {
            var isThere = false
            for fault in Fault.allCases {
                let (name, found) = try fail(number, fault, story, after)
                guard let name else { continue }
                isThere = true
                tally.runs += 1
                for complaint in found
                where !(fault.forbidsStart && complaint.hasPrefix(AfterCrash.refusedStart)) {
                    tally.failures.append("\(fault) at call \(number), \(name): \(complaint)")
                }
            }
            guard isThere else { break }
            tally.points += 1
            if tally.failures.count >= most { break }
        }
        return tally
    }

    /// One run; no name where the story has no such call, and that of the call otherwise, with what was wrong.
    private func fail(
        _ number: Int, _ fault: Fault, _ story: Story, _ after: AfterCrash
    ) throws -> (name: String?, found: [String]) {
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        var (ending, seen) = try Mortal.run { pipe in
            let disk = FailingDisk(number, fault, in: scratch.path, pipe)
            Effects.all.watch(disk)
            try story.tell(in: scratch.path, witness: disk, isInsisting: true)
        }
        if fault.isAtRestart, ending == .signalled(9) {
            let second = try Mortal.run { pipe in
                let disk = FailingDisk(nil, fault, in: scratch.path, pipe)
                disk.see(.time(seen.time))
                Effects.all.watch(disk)
                try story.tell(
                    in: scratch.path, from: seen.chapter, at: seen.moment, witness: disk,
                    isInsisting: true)
            }
            (ending, seen) = (second.ending, seen + second.sights)
        }
        guard let point = seen.point else {
            // Either the call is none that can meet this fault, or there are no so many.
            return (ending == .exited(0) ? nil : "none", seen.failures)
        }
        var found = seen.failures
        if ending != .exited(0), found.isEmpty { found.append("it ended by \(ending)") }
        if found.isEmpty { found = try after.complaintsAtEnd(in: scratch.path, seen: seen) }
        return (point.name, found)
    }
}

/// A disk of which calls fail, and the witness that tells it the time.
private final class FailingDisk: SyscallObserving, RotHearing, Witnessing {
    private struct State {
        var asked = 0
        /// The story is told: nothing begins to fail any more.
        var isTold = false
        var time = Story.start.seconds
        var failsUntil: Int64?
    }

    private let state = Mutex(State())
    /// The call that fails, or before which the process is killed; nil for the first there is, and no kill.
    private let number: Int?
    private let fault: Failing.Fault
    private let folder: String
    private let witness: any Witnessing

    init(
        _ number: Int?, _ fault: Failing.Fault, in folder: String, _ witness: any Witnessing
    ) {
        self.number = number
        self.fault = fault
        self.folder = folder
        self.witness = witness
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard call.isEffect else { return .proceed }
        let (isFirst, isFailing) = state.withLock { state in
            state.asked += state.isTold ? 0 : 1
            let isFirst =
                !state.isTold && state.asked == number ?? 1
                && (number == nil || fault.concerns(call))
            if isFirst, fault.isLong { state.failsUntil = state.time + Failing.span }
            return (isFirst, state.failsUntil.map { state.time < $0 } ?? false)
        }
        if isFirst, number != nil {
            witness.see(.point(call.name(below: folder), 0))
            if fault.isAtRestart { crash_kill() }
        }
        return (isFirst || isFailing) && fault.concerns(call) ? fault.verdict : .proceed
    }

    func made(_ call: Syscall, _ answer: Int64) {}
    func rotted(_ path: String, at offset: Int64, _ byte: UInt8) {}

    func see(_ sight: Sight) {
        switch sight {
        case .time(let seconds): state.withLock { $0.time = seconds }
        case .told: state.withLock { $0.isTold = true }
        default: break
        }
        witness.see(sight)
    }
}
