package import Primitives
import Synchronization
package import TUF

/// An in-process repository that is also a fetcher, and remembers what it was asked for.
package final class RepositorySimulator: MetadataFetching, Sendable {
    package enum Failure: Error, Hashable, Sendable {
        /// The network failed, as a test asked for.
        case unreachable(MetadataFileName)
        /// The file is longer than the client takes.
        case tooLong(MetadataFileName, limit: Int)
    }

    private struct State {
        var repository: SimulatedRepository
        var requests: [MetadataFileName] = []
        var byteCount = 0
        var unreachable: Set<MetadataFileName> = []
    }

    private let state: Mutex<State>

    package init(_ repository: SimulatedRepository) {
        state = Mutex(State(repository: repository))
    }

    /// A simulator of the standard layout, with these models.
    package convenience init(
        models: [String] = ["commands-en"], now: UTCTime = UTCTime(clamping: 1_800_000_000)
    ) {
        self.init(SimulatedRepository(models: models.compactMap(ModelName.init), now: now))
    }

    package var repository: SimulatedRepository { state.withLock { $0.repository } }

    /// Changes the repository.
    package func edit(_ change: (inout SimulatedRepository) -> Void) {
        state.withLock { change(&$0.repository) }
    }

    /// The first root, as a device has it from its maker.
    package var trustedRoot: [UInt8] {
        repository.files[MetadataFileName(.root, version: .first)] ?? []
    }

    /// Metadata files asked for, in order, since the last call of `forgetRequests`.
    package var requests: [String] { state.withLock { $0.requests.map(\.description) } }
    /// Bytes of metadata served since then.
    package var byteCount: Int { state.withLock { $0.byteCount } }

    package func forgetRequests() {
        state.withLock { state in
            state.requests = []
            state.byteCount = 0
        }
    }

    /// Lets every further request for a file fail.
    package func cut(_ name: MetadataFileName) {
        state.withLock { _ = $0.unreachable.insert(name) }
    }

    package func fetch(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]? {
        try state.withLock { state throws(Failure) in
            state.requests.append(name)
            guard !state.unreachable.contains(name) else { throw .unreachable(name) }
            guard let bytes = state.repository.files[name] else { return nil }
            guard bytes.count <= limit else { throw .tooLong(name, limit: limit) }
            state.byteCount += bytes.count
            return bytes
        }
    }
}
