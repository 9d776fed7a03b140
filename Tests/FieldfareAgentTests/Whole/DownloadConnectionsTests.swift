import PosixFiles
import Primitives
import Synchronization
import TestSupport
import Testing

/// On how many connections a running agent's download comes, as the registry counts them.
struct DownloadConnectionsTests {
    /// A registry that keeps every file back until they were asked for on as many connections as it expects.
    private final class Gathering: Sendable {
        private let expected: Int
        private let seen = Mutex<Set<Int>>([])

        init(_ expected: Int) { self.expected = expected }

        func arrived(_ request: ReceivedRequest) {
            guard request.line.contains(" /blobs/") else { return }
            seen.withLock { _ = $0.insert(request.connection) }
            let end = SystemClock.monotonicNanoseconds() + Self.patience
            while seen.withLock({ $0.count < expected }), SystemClock.monotonicNanoseconds() < end {
                SystemClock.pause(nanoseconds: 5_000_000)
            }
        }

        /// For connections that do not come; in nanoseconds.
        private static let patience: Int64 = 10_000_000_000
    }

    @Test(arguments: [1, 3])
    func `a download comes on as many connections as the configuration says`(
        count: Int
    ) throws {
        let gathering = Gathering(count)
        let device = try RunningDevice(
            with: ["connections": .integer(Int64(count))], arrived: { gathering.arrived($0) })
        let requests = device.requests
        func connections(_ folder: String) -> Set<Int> {
            Set(requests.filter { $0.line.contains(" /\(folder)/") }.map(\.connection))
        }
        #expect(connections("blobs").count == count)
        // Polls have one of their own.
        #expect(connections("tuf").count == 1)
        #expect(connections("tuf") == connections("targets"))
        #expect(connections("tuf").isDisjoint(with: connections("blobs")))
    }
}
