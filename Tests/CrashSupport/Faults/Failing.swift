import CCrashShims
import Glibc
import PosixFiles
import Primitives
import Synchronization

/// Lets calls fail, one in each run: once, or from then on for half an hour of the story.
///
/// The engine *faults* takes every change of the disk, the engine *reads* calls that read it (`ReadPoints`).
package struct Failing {
    /// What a call answers instead of being made.
    enum Fault: CaseIterable, CustomStringConvertible {
        case noSpace, noQuota, ioError, short
        case noSpaceFromThere, noQuotaFromThere, ioErrorFromThere
        /// The process is killed there, and a new one meets the fault from its first call on.
        case noSpaceAtRestart, ioErrorAtRestart
        /// A read fails: that one; from there on all of what stands under that name; or all there are.
        case readError, badSectorFromThere, readErrorFromThere
        case readErrorAtRestart

        var isLong: Bool {
            switch self {
            case .noSpace, .noQuota, .ioError, .short, .readError: false
            case .noSpaceFromThere, .noQuotaFromThere, .ioErrorFromThere, .noSpaceAtRestart,
                .ioErrorAtRestart, .badSectorFromThere, .readErrorFromThere, .readErrorAtRestart:
                true
            }
        }

        var isAtRestart: Bool {
            [.noSpaceAtRestart, .ioErrorAtRestart, .readErrorAtRestart].contains(self)
        }

        /// Whether it is one of reads; the others are of changes.
        var isOfReads: Bool {
            [.readError, .badSectorFromThere, .readErrorFromThere, .readErrorAtRestart]
                .contains(self)
        }

        var verdict: SyscallVerdict {
            switch self {
            case .noSpace, .noSpaceFromThere, .noSpaceAtRestart: .fail(errno: ENOSPC)
            case .noQuota, .noQuotaFromThere: .fail(errno: EDQUOT)
            case .ioError, .ioErrorFromThere, .ioErrorAtRestart, .readError, .badSectorFromThere,
                .readErrorFromThere, .readErrorAtRestart:
                .fail(errno: EIO)
            case .short: .atMost(1)
            }
        }

        /// Whether a call of this kind is counted.
        func counts(_ call: Syscall) -> Bool { isOfReads ? call.isReading : call.isEffect }

        /// Whether this call, one that is counted, can meet it.
        func concerns(_ call: Syscall) -> Bool {
            switch self {
            case .short: (call.range?.count ?? 0) > 1 && [.write, .copy].contains(call.operation)
            case .ioError, .ioErrorFromThere, .ioErrorAtRestart, .readError, .badSectorFromThere,
                .readErrorFromThere, .readErrorAtRestart:
                true
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
            case .readError: "EIO of a read"
            case .badSectorFromThere: "EIO of this name's reads from there on"
            case .readErrorFromThere: "EIO of reads from there on"
            case .readErrorAtRestart: "a kill, and then EIO of reads"
            }
        }
    }

    private let engine: String
    /// The calls that fail, by their number from 1, with what each answers; its place is what `--first` takes.
    private let points: any Sequence<(place: Int, number: Int, faults: [Fault])>

    /// Every `stride`-th change of the disk, from `first` on.
    package init(first: Int, stride: Int) {
        engine = "faults"
        let faults = Fault.allCases.filter { !$0.isOfReads }
        points = Swift.stride(from: first, through: .max, by: stride).lazy.map {
            ($0, $0, faults)
        }
    }

    /// Every `stride`-th of the chosen reads, from `first` on; every third of the chosen ones meets a fault that lasts, too.
    package init(_ reads: ReadPoints, first: Int, stride: Int) {
        engine = "reads"
        let lasting = Fault.allCases.filter { $0.isOfReads && $0.isLong }
        points = Swift.stride(from: first - 1, to: reads.chosen.count, by: stride).lazy.map {
            let turn = $0 / 3 % lasting.count
            let faults = $0 % 3 == 0 ? [.readError, lasting[turn]] : [.readError]
            return ($0 + 1, reads.chosen[$0], faults)
        }
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
        var tally = Tally(engine: engine)
        for (place, number, faults) in points {
            var isThere = false
            for fault in faults {
                let (name, found) = try fail(number, fault, story, after)
                guard let name else { continue }
                isThere = true
                tally.runs += 1
                for complaint in found
                where !(fault.forbidsStart && complaint.hasPrefix(AfterCrash.refusedStart)) {
                    tally.failures.append(
                        "\(fault) at call \(number) (--first \(place)), \(name): \(complaint)")
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
            let disk = FailingDisk(number, fault, in: scratch.path, pipe, after)
            Effects.all.watch(disk)
            try story.tell(in: scratch.path, witness: disk, isInsisting: true)
        }
        if fault.isAtRestart, ending == .signalled(9) {
            let second = try Mortal.run { pipe in
                let disk = FailingDisk(nil, fault, in: scratch.path, pipe, after, seen)
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
        /// The name that fails; nil for all.
        var path: String?
        var seen: [Sight]
    }

    private let state: Mutex<State>
    /// The call that fails, or before which the process is killed; nil for the first there is, and no kill.
    private let number: Int?
    private let fault: Failing.Fault
    private let folder: String
    private let witness: any Witnessing
    private let after: AfterCrash

    init(
        _ number: Int?, _ fault: Failing.Fault, in folder: String, _ witness: any Witnessing,
        _ after: AfterCrash, _ seen: [Sight] = []
    ) {
        self.number = number
        self.fault = fault
        self.folder = folder
        self.witness = witness
        self.after = after
        state = Mutex(State(seen: seen))
    }

    func verdict(on call: Syscall) -> SyscallVerdict {
        guard fault.counts(call) else { return .proceed }
        let (isFirst, isFailing) = state.withLock { state in
            state.asked += state.isTold ? 0 : 1
            let isFirst =
                !state.isTold && state.asked == number ?? 1
                && (number == nil || fault.concerns(call))
            if isFirst, fault.isLong { state.failsUntil = state.time + Failing.span }
            if isFirst, fault == .badSectorFromThere { state.path = call.path }
            let isLasting = state.failsUntil.map { state.time < $0 } ?? false
            return (isFirst, isLasting && call.path == state.path ?? call.path)
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
        let (isFailing, seen) = state.withLock { state in
            let isFailing = state.failsUntil.map { state.time < $0 } ?? false
            state.seen.append(sight)
            switch sight {
            case .time(let seconds): state.time = seconds
            case .told: state.isTold = true
            default: break
            }
            return (isFailing, state.seen)
        }
        witness.see(sight)
        // What applications would lease in the meantime.
        guard isFailing, case .time = sight else { return }
        for complaint in after.bundle(in: folder, seen) {
            witness.see(.failure("while calls fail: \(complaint)"))
        }
    }
}
