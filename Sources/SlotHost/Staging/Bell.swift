import Glibc

/// Wakes a thread that waits; rings add up.
@safe final class Bell: Sendable {
    // Unsafe for the compiler only: set once, and a semaphore is for several threads.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        let code = unsafe sem_init(semaphore, 0, 0)
        precondition(code == 0, "a semaphore of 0")
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func ring() { _ = unsafe sem_post(semaphore) }

    func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }
}
