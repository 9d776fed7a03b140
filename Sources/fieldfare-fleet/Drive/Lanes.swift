import Dispatch
import Synchronization

/// Work that mostly waits, each part on a thread of its own.
enum Lanes {
    /// Runs `work` for each of `count` lanes, and waits for all; results come in the lanes' order.
    static func run<Value: Sendable>(
        _ count: Int, _ work: @escaping @Sendable (Int) -> Value
    ) -> [Value] {
        let results = Mutex([Value?](repeating: nil, count: count))
        let group = DispatchGroup()
        for lane in 0..<count {
            // A serial queue without a target has a thread for itself while it works.
            DispatchQueue(label: "lane-\(lane)").async(group: group) {
                let value = work(lane)
                results.withLock { $0[lane] = value }
            }
        }
        group.wait()
        return results.withLock { $0.compactMap(\.self) }
    }
}

/// Where lanes wait for each other once.
final class Barrier: Sendable {
    private let group = DispatchGroup()

    init(_ count: Int) {
        for _ in 0..<count { group.enter() }
    }

    func arriveAndWait() {
        group.leave()
        group.wait()
    }
}
