import AgentCore
import FleetSimulation
import PosixFiles
import Primitives
import Rollouts
import Synchronization

/// Why a device could not go on.
struct DriveTrouble: Error {
    let text: String
}

/// Counts what the devices of one lane ask for.
final class DriveMeter: Sendable {
    private let state = Mutex(DriveFigures())

    var figures: DriveFigures { state.withLock { $0 } }

    func measure<Value>(
        _ kind: DriveFigures.Kind, _ work: () throws(FetchError) -> Value
    ) throws(FetchError) -> Value {
        let started = SystemClock.monotonicNanoseconds()
        do {
            let value = try work()
            let microseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000
            state.withLock { $0.count(kind, microseconds: microseconds) }
            return value
        } catch {
            state.withLock { $0.count(kind, microseconds: nil) }
            throw error
        }
    }

    /// Runs a step of a device; what goes wrong is counted.
    func noting(_ work: () throws(DriveTrouble) -> Void) {
        do { try work() } catch { state.withLock { $0.countTrouble(error.text) } }
    }

    func countAccepted(_ count: Int) { state.withLock { $0.countAccepted(count) } }

    func count(_ device: DrivenDevice) {
        let version = device.agent.current?.version.description ?? "none"
        let turns = device.agent.turns
        state.withLock { $0.countDevice(running: version, turns: turns) }
    }
}

/// What a device fetches, measured.
struct MeteredFetching: Fetching {
    let fetching: any Fetching
    let meter: DriveMeter

    func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        try meter.measure(.metadata) { () throws(FetchError) in
            try fetching.metadata(name, limit: limit, until: stop)
        }
    }

    func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        try meter.measure(.target) { () throws(FetchError) in
            try fetching.target(path, limit: limit, until: stop)
        }
    }

    func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        try fetching.blob(digest, range: range, until: stop, into: sink)
    }
}
