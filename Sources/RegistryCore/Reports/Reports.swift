import Cryptography
package import Primitives
import TUF
import Telemetry

/// Takes batches of signed reports in: what is acknowledged is durable, what is impossible is refused.
package struct Reports: Sendable {
    package static let schema = "fieldfare.report-batch/1"
    private static let nextSchema = "fieldfare.report-batch/2"
    package static let batchLimit = 64
    package static let byteLimit = 256 << 10

    /// Why one report of a batch was refused; `code` is stable and has no free text.
    package struct Refusal: Sendable, Hashable {
        /// As the report says, or 0 where that cannot be read.
        package let sequence: Int64
        package let code: String
    }

    package struct Receipt: Sendable, Hashable {
        /// Durable now, or known already; a swap beacon that stands here is acknowledged.
        package var accepted: [Int64] = []
        package var refused: [Refusal] = []
        /// How many of the accepted ones are of another edition of the schema, or do not say; not part of the answer.
        package var otherSchemas = 0

        /// The answer of `POST /v1/reports`.
        package var json: JSON {
            [
                "type": "reports", "accepted": .array(accepted.map { .integer($0) }),
                "refused": .array(
                    refused.map {
                        ["sequence": .integer($0.sequence), "code": .string($0.code)]
                    }),
            ]
        }
    }

    /// A report signed by a key that is not the device's.
    package static let wrongSignature = "wrong-signature"
    /// A report of another device than the batch's.
    package static let foreignDevice = "foreign-device"
    /// A report about a model that the repository does not have.
    package static let unknownModel = "unknown-model"

    private let store: any RegistryStoring

    package init(store: any RegistryStoring) {
        self.store = store
    }

    /// Takes a batch of one device.
    ///
    /// Reports stand for themselves: one that is refused does not keep the others out. Replayed, late and
    /// reordered ones are accepted and change nothing (`ReportLedger`).
    ///
    /// - Throws: `.malformed` for what is no batch; `.notFound` for a device that has not enrolled, or was revoked.
    package func take(_ json: JSON, at now: UTCTime) throws(RegistryError) -> Receipt {
        let batch: (device: DeviceID, reports: [JSON])
        do { batch = try Self.batch(json) } catch { throw .malformed(error) }
        let device = try store.read { (records) throws(RegistryError) in
            try records.device(batch.device)
        }
        guard let device else { throw .notFound("device", batch.device.description) }
        var receipt = Receipt()
        var reports: [SignedReport] = []
        for json in batch.reports {
            switch Self.check(json, of: device, at: now) {
            case .success(let report): reports.append(report)
            case .failure(let code):
                let sequence = json["signed"]?["sequence"]?.integer ?? 0
                receipt.refused.append(Refusal(sequence: sequence, code: code.text))
            }
        }
        guard !reports.isEmpty else { return receipt }
        try store.write { (records) throws(RegistryError) in
            guard try records.device(device.id) != nil else {
                throw .notFound("device", device.id.description)
            }
            for report in reports {
                guard try records.live(.plans(report.report.model)) != nil else {
                    receipt.refused.append(
                        Refusal(sequence: report.report.sequence, code: Self.unknownModel))
                    continue
                }
                try Ingest(records: records, now: now).take(report)
                receipt.accepted.append(report.report.sequence)
                if report.report.schemaHash != Report.schemaHash { receipt.otherSchemas += 1 }
            }
        }
        return receipt
    }

    /// A batch of this version, or of the next as far as this one knows it: a newer one only adds fields.
    private static func batch(_ json: JSON) throws(FieldError) -> (DeviceID, [JSON]) {
        var fields = try Fields(json)
        let isStrict = try fields.parse("schema", "'\(schema)'") {
            [schema: true, nextSchema: false][$0]
        }
        let device = try fields.parse("device", DeviceID.expected, DeviceID.init)
        let reports = try fields.array("reports", limit: batchLimit).map(\.json)
        if isStrict { try fields.refuseUnknown() }
        return (device, reports)
    }

    private struct Code: Error {
        let text: String
    }

    /// Reads one report and checks that the device itself says it.
    private static func check(
        _ json: JSON, of device: DeviceRecord, at now: UTCTime
    ) -> Result<SignedReport, Code> {
        let signed: SignedReport
        do { signed = try SignedReport(json, at: now) } catch {
            return .failure(Code(text: error.code))
        }
        guard signed.report.device == device.id else {
            return .failure(Code(text: foreignDevice))
        }
        guard device.publicKey.isValid(signed.signature, for: signed.signedBytes) else {
            return .failure(Code(text: wrongSignature))
        }
        return .success(signed)
    }
}
