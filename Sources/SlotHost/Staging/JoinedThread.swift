import AgentCore
import Glibc

/// A thread of POSIX, because its work blocks on the network and the disk; to be joined once.
struct JoinedThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let handle: pthread_t

    /// - Throws: `.system` where the system has no more threads.
    init(_ body: @escaping @Sendable () -> Void) throws(SlotError) {
        var handle = pthread_t()
        let work = unsafe Unmanaged.passRetained(Work(body))
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, unsafe work.toOpaque())
        guard code == 0 else {
            unsafe work.release()
            throw .system(operation: "start", path: "a thread", errno: code)
        }
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }
}
