import AgentCore
import FieldfareAgent
import PosixFiles
import Primitives
import Synchronization

/// What all devices of a drive count together.
final class DriveMeter: Sendable {
    private let held = Mutex(DriveFigures())

    var figures: DriveFigures { held.withLock { $0 } }

    func count(_ change: (inout DriveFigures) -> Void) { held.withLock { change(&$0) } }

    /// Times one request.
    func time<Value>(
        _ kind: RequestKind, _ request: () throws(FetchError) -> Value
    ) throws(FetchError) -> Value {
        let start = SystemClock.monotonicNanoseconds()
        func end(_ failure: String?) {
            let duration = (SystemClock.monotonicNanoseconds() - start) / 1_000
            count { $0.add(kind, microseconds: duration, failure: failure) }
        }
        do {
            let value = try request()
            end(nil)
            return value
        } catch {
            end(error.description)
            throw error
        }
    }
}

/// The agent's own client of the registry, one for each device, every request of which is counted and timed.
struct MeteredRegistry: Fetching, Reporting {
    let client: RegistryClient
    let meter: DriveMeter

    func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        try meter.time(RequestKind(ofMetadata: name)) { () throws(FetchError) in
            try client.metadata(name, limit: limit, until: stop)
        }
    }

    func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        try meter.time(.target) { () throws(FetchError) in
            try client.target(path, limit: limit, until: stop)
        }
    }

    /// A poll reads no blob.
    func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        try client.blob(digest, range: range, until: stop, into: sink)
    }

    func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt {
        try meter.time(.reports) { () throws(FetchError) in try client.post(batch, until: stop) }
    }

    func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID {
        try meter.time(.enrolment) { () throws(FetchError) in
            try client.enrol(request, until: stop)
        }
    }
}
