import AgentCore
import Primitives
import Synchronization
import TUF

/// What one driven device keeps: trusted metadata and verified targets, in memory.
final class DeviceMemory: MetadataStoring, TargetCaching {
    private struct State {
        var metadata: [MetadataFileName: [UInt8]] = [:]
        var targets: [SHA256Digest: [UInt8]] = [:]
    }

    private let state = Mutex(State())

    init(trustedRoot: [UInt8]) {
        state.withLock { $0.metadata[MetadataFileName(.root)] = trustedRoot }
    }

    func load(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? {
        Self.within(limit, state.withLock { $0.metadata[name] })
    }

    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Never) {
        state.withLock { $0.metadata[name] = bytes }
    }

    func remove(_ name: MetadataFileName) throws(Never) {
        state.withLock { $0.metadata[name] = nil }
    }

    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? {
        Self.within(limit, state.withLock { $0.targets[digest] })
    }

    func keep(_ bytes: [UInt8], as digest: SHA256Digest) {
        state.withLock { $0.targets[digest] = bytes }
    }

    func retain(only digests: Set<SHA256Digest>) {
        state.withLock { state in
            state.targets = state.targets.filter { digests.contains($0.key) }
        }
    }

    private static func within(_ limit: Int, _ bytes: [UInt8]?) -> [UInt8]? {
        bytes.flatMap { $0.count <= limit ? $0 : nil }
    }
}
