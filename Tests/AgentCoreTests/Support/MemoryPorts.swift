import AgentCore
import ModelBundle
import Primitives
import Rollouts
import Speech
import Synchronization
import Telemetry

/// A smoke test whose verdict the test decides.
final class ScriptedProbing: Probing, Sendable {
    private let verdicts: Mutex<[SmokeVerdict]>

    init(_ verdicts: [SmokeVerdict] = []) { self.verdicts = Mutex(verdicts) }

    func then(_ verdict: SmokeVerdict) { verdicts.withLock { $0.append(verdict) } }

    func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict {
        verdicts.withLock { $0.isEmpty ? .passed(Fixture.measurement) : $0.removeFirst() }
    }
}

/// Targets by digest in memory.
final class MemoryCache: TargetCaching, Sendable {
    private let files = Mutex([SHA256Digest: [UInt8]]())

    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? {
        files.withLock { $0[digest].flatMap { $0.count <= limit ? $0 : nil } }
    }

    func keep(_ bytes: [UInt8], as digest: SHA256Digest) { files.withLock { $0[digest] = bytes } }

    func retain(only digests: Set<SHA256Digest>) {
        files.withLock { files in files = files.filter { digests.contains($0.key) } }
    }

    var count: Int { files.withLock { $0.count } }
}
