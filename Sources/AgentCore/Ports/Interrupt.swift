import Synchronization

/// A flag that tells long work to stop; set once, from any thread, then stays set.
package final class Interrupt: Sendable {
    private struct State {
        var isSet = false
        var actions: [@Sendable () -> Void] = []
    }

    private let flag = Atomic(false)
    private let state = Mutex(State())

    package init() {}

    package var isSet: Bool { flag.load(ordering: .acquiring) }

    /// Sets the flag, and runs what was left for this moment; not for signal handlers.
    package func set() {
        flag.store(true, ordering: .releasing)
        let actions = state.withLock { state in
            state.isSet = true
            let actions = state.actions
            state.actions = []
            return actions
        }
        for action in actions { action() }
    }

    /// Runs `action` when the flag is set, or at once where it is.
    package func onSet(_ action: @escaping @Sendable () -> Void) {
        let isSet = state.withLock { state in
            if !state.isSet { state.actions.append(action) }
            return state.isSet
        }
        if isSet { action() }
    }
}
