import Cryptography
import Primitives
import Telemetry

extension ReportBatch {
    /// Signs queued reports and puts as many as fit into one batch; nil for an empty queue.
    init?(
        _ queue: [QueuedReport], from device: DeviceID, signedBy key: any DeviceSigning
    ) throws(SigningError) {
        var reports: [JSON] = []
        var sequences: [Int64] = []
        var beacon: (Int64, TraceID)?
        var bytes = 512
        for report in queue.prefix(Self.reportLimit) {
            let message = report.body.canonicalBytes
            bytes += message.count + 256
            guard bytes <= Self.byteLimit || reports.isEmpty else { break }
            let signature = try key.signature(of: message)
            reports.append(["signed": report.body, "signature": .string(Hex.encode(signature))])
            sequences.append(report.sequence)
            if report.body["kind"]?.string == ReportKind.swapBeacon.rawValue,
                let trace = report.body["attempt"]?["trace"]?.string.flatMap({ TraceID($0) })
            {
                beacon = (report.sequence, trace)
            }
        }
        guard !reports.isEmpty else { return nil }
        body = [
            "schema": .string(Self.schema), "device": .string(device.description),
            "reports": .array(reports),
        ]
        self.sequences = sequences
        self.beacon = beacon
    }
}
