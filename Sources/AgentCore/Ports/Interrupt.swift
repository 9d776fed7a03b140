import Synchronization

/// A flag that tells long work to stop; set once from any thread or from a signal handler, then stays set.
package final class Interrupt: Sendable {
    private let flag = Atomic(false)

    package init() {}

    package var isSet: Bool { flag.load(ordering: .acquiring) }

    package func set() { flag.store(true, ordering: .releasing) }
}
