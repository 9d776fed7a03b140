package import RegistryCore
import Synchronization

/// A store whose process dies at one of its commits: just before it, or just after.
///
/// After the cut every call throws, as nothing answers any more; what was committed lies in the store below,
/// for the next process to open.
package final class CutStore: RegistryStoring {
    package enum Moment: Sendable, Hashable, CaseIterable {
        case before
        case after
    }

    private let store: any RegistryStoring
    private let moment: Moment
    private let left: Mutex<Int>

    /// Dies at the commit that `commits` others have preceded.
    package init(_ store: any RegistryStoring, after commits: Int, _ moment: Moment) {
        self.store = store
        self.moment = moment
        left = Mutex(commits)
    }

    package static let dead = RegistryError.storage("the process is dead")

    /// Whether the cut has come.
    package var isDead: Bool { left.withLock { $0 < 0 } }

    package func read<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        guard !isDead else { throw Self.dead }
        return try store.read(body)
    }

    package func write<Value>(
        _ body: (any RegistryRecords) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        let left = left.withLock { left in
            left -= 1
            return left
        }
        if left < -1 { throw Self.dead }
        if left == -1, moment == .before { throw Self.dead }
        let value = try store.write(body)
        if left == -1 { throw Self.dead }
        return value
    }

    package func copy() throws(RegistryError) -> any RegistryStoring {
        guard !isDead else { throw Self.dead }
        return try store.copy()
    }

    package func probe() throws(RegistryError) { try store.probe() }
}
