import PosixFiles
import Synchronization

/// The calls of the story that read the disk, and those of them that are let fail.
package struct ReadPoints: Sendable {
    /// How many the story makes.
    package let count: Int
    /// Every name that is read, sorted, with the numbers of the chapters in which it is, from 1: `read state/device.key: 1 11`.
    package let lines: [String]
    /// Numbers of calls, from 1, ascending: of each name in each chapter the first, the middle and the last, and every
    /// `step`-th of all.
    package let chosen: [Int]

    static let step = 97

    /// Tells the story once, and looks at its reads.
    ///
    /// - Parameter story: a fresh one.
    /// - Throws: `StoryError` where the story cannot be told.
    package init(_ story: Story) throws {
        let scratch = try Scratch()
        try story.prepare(scratch.path)
        let reader = Reader(in: scratch.path)
        _ = Effects.vfs
        Effects.all.watch(reader)
        defer { Effects.all.watch(nil) }
        try story.tell(in: scratch.path, witness: reader)
        let reads = reader.reads
        count = reads.count
        var numbers: [Place: [Int]] = [:]
        for (index, place) in reads.enumerated() { numbers[place, default: []].append(index + 1) }
        lines = Dictionary(grouping: numbers.keys, by: \.name).sorted { $0.key < $1.key }
            .map { name, places in
                let chapters = places.map { $0.chapter + 1 }.sorted()
                return "\(name): \(chapters.map { "\($0)" }.joined(separator: " "))"
            }
        var chosen = Set(stride(from: Self.step, through: reads.count, by: Self.step))
        for numbers in numbers.values {
            chosen.formUnion([numbers[0], numbers[numbers.count / 2], numbers[numbers.count - 1]])
        }
        self.chosen = chosen.sorted()
    }

    private struct Place: Hashable {
        let chapter: Int
        let name: String
    }

    /// Writes down what is read in which chapter; the start counts to the first.
    private final class Reader: SyscallObserving, Witnessing {
        private let state = Mutex<(chapter: Int, reads: [Place])>((0, []))
        private let folder: String

        init(in folder: String) { self.folder = folder }

        var reads: [Place] { state.withLock { $0.reads } }

        func verdict(on call: Syscall) -> SyscallVerdict {
            guard call.isReading else { return .proceed }
            let name = call.name(below: folder)
            state.withLock { $0.reads.append(Place(chapter: $0.chapter, name: name)) }
            return .proceed
        }

        func see(_ sight: Sight) {
            guard case .chapter(let number) = sight else { return }
            state.withLock { $0.chapter = number }
        }
    }
}
