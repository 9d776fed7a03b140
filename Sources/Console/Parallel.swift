import Dispatch
import Synchronization

/// Independent work on all processors.
package enum Parallel {
    package static func map<Value: Sendable>(
        _ count: Int, _ work: @Sendable (Int) -> Value
    ) -> [Value] {
        let results = Mutex([Value?](repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let value = work(index)
            results.withLock { $0[index] = value }
        }
        return results.withLock { $0.compactMap { $0 } }
    }

    /// As `map`, for work that leaves its results elsewhere.
    package static func each(_ count: Int, _ work: @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count, execute: work)
    }
}
