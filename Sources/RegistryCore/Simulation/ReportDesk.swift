import Cryptography
import FleetSimulation
import Primitives
import Telemetry

/// Takes the reports of a whole fleet in: those of one block in one transaction, or signed ones device by device, as they
/// would come by HTTP.
struct ReportDesk: Sendable {
    let store: any RegistryStoring
    let isSigned: Bool
    /// The seed of the devices' keys.
    let seed: UInt64

    private static let noSignature = [UInt8](repeating: 0, count: 64)

    /// What one device says at once, ready to be taken in.
    struct Parcel: Sendable {
        /// The device's place in its block.
        let place: Int
        fileprivate let reports: [SignedReport]
        /// The body of `POST /v1/reports`, where reports are signed.
        fileprivate let body: JSON?
        var count: Int { reports.count }
    }

    /// Does for one device what needs no store: its reports become JSON, and are signed.
    func pack(_ batch: FleetBlock.Batch) -> Parcel {
        let key = isSigned ? FleetBlock.key(of: batch.index, seed: seed) : nil
        let reports = batch.reports.map { report in
            SignedReport(report, signature: key?.sign(report.signedBytes) ?? Self.noSignature)
        }
        guard isSigned else { return Parcel(place: batch.place, reports: reports, body: nil) }
        let body: JSON = [
            "schema": .string(Reports.schema), "device": .string(batch.device.description),
            "reports": .array(reports.map(\.json)),
        ]
        return Parcel(place: batch.place, reports: reports, body: body)
    }

    /// - Returns: the sequence numbers that the registry has, by the device's place in its block.
    func take(_ parcels: [Parcel], at now: UTCTime) throws -> [Int: Set<Int64>] {
        guard !parcels.isEmpty else { return [:] }
        if isSigned {
            for parcel in parcels { try takeSigned(parcel, at: now) }
        } else {
            try store.write { (records) throws(RegistryError) in
                let ingest = Ingest(records: records, now: now)
                for report in parcels.flatMap(\.reports) { try ingest.take(report) }
            }
        }
        let taken = parcels.map { ($0.place, Set($0.reports.map(\.report.sequence))) }
        return Dictionary(uniqueKeysWithValues: taken)
    }

    private func takeSigned(_ parcel: Parcel, at now: UTCTime) throws {
        guard let body = parcel.body else { return }
        let receipt = try Reports(store: store).take(body, at: now)
        guard let refusal = receipt.refused.first else { return }
        throw RegistryError.storage("report of a simulated device: \(refusal.code)")
    }
}
