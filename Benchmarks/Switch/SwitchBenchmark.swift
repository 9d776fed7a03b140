import AgentCore
import Glibc
import PosixFiles
import Primitives
import SlotHost

/// What a switch costs: how long `activate` takes with all its syncs, from one whole slot to the other and back.
///
///     switch-benchmark SLOTS COUNT
///
/// SLOTS is the `slots` folder of an agent that does not run, of which both slots are whole. One line of JSON: `p50_us`, `p99_us` and
/// `most_us`.
@main enum SwitchBenchmark {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count == 3, let count = Int(words[2]), count > 0 else {
            print("usage: switch-benchmark SLOTS COUNT")
            exit(2)
        }
        let slots = try SlotFolder(Directory(opening: words[1]))
        try slots.activate(.a)
        var slot = Slot.a
        var times: [Int64] = []
        for _ in 0..<count {
            slot = slot.other
            let start = SystemClock.monotonicNanoseconds()
            try slots.activate(slot)
            times.append((SystemClock.monotonicNanoseconds() - start) / 1_000)
        }
        times.sort()
        let result: JSON = [
            "p50_us": .integer(times[count / 2]), "p99_us": .integer(times[count * 99 / 100]),
            "most_us": .integer(times[count - 1]),
        ]
        print(String(decoding: result.bytes, as: UTF8.self))
    }
}
