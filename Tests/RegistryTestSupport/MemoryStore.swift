import Primitives
package import RegistryCore
import Synchronization
import TUF
import Telemetry

/// The registry's records in memory: a real small store, with whole transactions and nothing durable.
package final class MemoryStore: RegistryStoring {
    private let state: Mutex<MemoryRecords.State>
    /// Verbs that may still be called, nil for any number; then each throws, as a disk that has gone does.
    private let budget: Mutex<Int?>

    package init(verbsLeft: Int? = nil) {
        state = Mutex(MemoryRecords.State())
        budget = Mutex(verbsLeft)
    }

    private init(_ records: MemoryRecords.State) {
        state = Mutex(records)
        budget = Mutex(nil)
    }

    package func copy() throws(RegistryError) -> any RegistryStoring {
        MemoryStore(state.withLock { $0 })
    }

    /// Lets so many verbs through from now on.
    package func allow(_ verbs: Int?) {
        budget.withLock { $0 = verbs }
    }

    package func read<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        let records = MemoryRecords(state.withLock { $0 }, isWritable: false, spend: spend)
        return try body(records)
    }

    package func write<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try state.withLock { (state) throws(RegistryError) -> Value in
            let records = MemoryRecords(state, isWritable: true, spend: spend)
            let value = try body(records)
            state = records.state
            return value
        }
    }

    package func probe() throws(RegistryError) { try spend() }

    private func spend() throws(RegistryError) {
        try budget.withLock { (left) throws(RegistryError) in
            guard let count = left else { return }
            guard count > 0 else { throw .storage("cut") }
            left = count - 1
        }
    }
}
