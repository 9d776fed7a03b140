import Glibc
import Primitives
import Synchronization

/// One thread that does one errand after another, in the order in which they were given.
///
/// A thread of POSIX, because the errands block: on the network, on the disk, on a child.
final class WorkerThread: Sendable {
    private struct State {
        var errands: [@Sendable () -> Void] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake: WakePipe
    private let thread: Mutex<pthread_t?>

    /// Starts the thread.
    init() throws(AgentError) {
        wake = try WakePipe()
        thread = Mutex(nil)
        var handle = pthread_t()
        let box = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let worker = unsafe Unmanaged<WorkerThread>.fromOpaque(context)
                    .takeRetainedValue()
                worker.run()
                return nil
            }, unsafe box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw AgentError(.storage, "cannot start a thread: \(ErrorNumber(code))")
        }
        thread.withLock { $0 = handle }
    }

    /// Gives the thread something to do, after what it has.
    func give(_ errand: @escaping @Sendable () -> Void) {
        state.withLock { $0.errands.append(errand) }
        wake.ring()
    }

    /// Ends the thread after the errand that it is at, and waits for that; what it has not begun is dropped.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            state.errands = []
        }
        wake.ring()
        let handle = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let handle { pthread_join(handle, nil) }
    }

    private func run() {
        while true {
            let (errand, isStopping) = state.withLock { state in
                (state.errands.isEmpty ? nil : state.errands.removeFirst(), state.isStopping)
            }
            if isStopping { return }
            if let errand { errand() } else { wake.wait() }
        }
    }
}

/// A pipe that wakes whoever waits for it; rings add up to one.
final class WakePipe: Sendable {
    /// To be polled for reading.
    let reading: Int32
    private let writing: Int32

    init() throws(AgentError) {
        var ends: [Int32] = [0, 0]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else {
            throw AgentError(.storage, "cannot make a pipe: \(ErrorNumber(errno))")
        }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// Wakes the waiting side; safe in a signal handler.
    func ring() {
        var byte: UInt8 = 1
        // A full pipe has rung already.
        _ = unsafe write(writing, &byte, 1)
    }

    /// Takes all rings away.
    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(reading, &bytes, bytes.count) > 0 {}
    }

    /// Blocks until somebody rings.
    func wait() {
        var wanted = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&wanted, 1, -1)
        silence()
    }
}
