import Console
import Glibc
import Primitives
import Synchronization

/// Work that waits for the network, on threads of its own: neither one for each device, nor those of the processors only.
enum Lanes {
    /// Does the work for each item on a thread of its own, and waits for all.
    ///
    /// - Returns: the results in the items' order.
    /// - Throws: `Failure` where a thread could not be started; those that were have ended then.
    static func map<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ work: @escaping @Sendable (Item) -> Value
    ) throws(Failure) -> [Value] {
        let results = Results<Value>(items.count)
        var threads: [pthread_t] = []
        defer { for thread in threads { pthread_join(thread, nil) } }
        for (index, item) in items.enumerated() {
            threads.append(try start { results.set(work(item), at: index) })
        }
        while let thread = threads.popLast() { pthread_join(thread, nil) }
        return results.all
    }

    private static func start(_ work: @escaping @Sendable () -> Void) throws(Failure) -> pthread_t {
        var handle = pthread_t()
        let errand = unsafe Unmanaged.passRetained(Errand(work))
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Errand>.fromOpaque(context).takeRetainedValue().work()
                return nil
            }, unsafe errand.toOpaque())
        guard code == 0 else {
            unsafe errand.release()
            throw Failure(.failed, "cannot start a thread: \(ErrorNumber(code))")
        }
        return handle
    }
}

private final class Errand: Sendable {
    let work: @Sendable () -> Void

    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}

private final class Results<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>

    init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    func set(_ value: Value, at index: Int) { values.withLock { $0[index] = value } }

    /// Those that are set, in order.
    var all: [Value] { values.withLock { $0.compactMap(\.self) } }
}
