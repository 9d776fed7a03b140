package import Cryptography
package import Primitives
package import RegistryCore
package import Telemetry
import TestSupport

/// A device with its own key, which enrols and reports as agents do.
package struct TestDevice: Sendable {
    package let key: Ed25519PrivateKey
    package var attributes: DeviceAttributes
    package let model: ModelName
    package var channel = ChannelName.main
    package var epoch: Int64 = 1_763_000_000
    package private(set) var sequence: Int64 = 0

    package init(
        _ name: String, model: ModelName, region: String = "eu", deviceClass: String = "hub",
        labels: [String] = []
    ) {
        guard let region = AttributeName(region), let deviceClass = AttributeName(deviceClass),
            let locale = AttributeName("en-GB")
        else { preconditionFailure("constants are well formed") }
        key = TestKeys.key("device \(name)")
        self.model = model
        attributes = DeviceAttributes(
            number: 1, region: region, deviceClass: deviceClass,
            labels: labels.compactMap(AttributeName.init), locale: locale)
    }

    package var id: DeviceID { DeviceID(of: key.publicKey) }

    // MARK: Enrolment

    /// The request, signed; `change` comes before the signature, `spoil` after it.
    package func enrolment(
        token: String, change: (inout JSONObject) -> Void = { _ in },
        spoil: (inout JSONObject) -> Void = { _ in }
    ) -> JSON {
        var fields: JSONObject = [
            "schema": .string(Enrolment.schema),
            "public_key": .string(key.publicKey.hex), "token": .string(token),
            "attributes": attributes.json, "agent": "1.0.0",
        ]
        change(&fields)
        let signature = key.sign(JSON.object(fields).canonicalBytes)
        fields["signature"] = .string(Hex.encode(signature))
        spoil(&fields)
        return .object(fields)
    }

    // MARK: Reports

    /// The next report, with what a test wants of it.
    package mutating func report(
        _ kind: ReportKind = .periodic, _ state: ReportedState = .committed, at now: UTCTime,
        _ change: (inout Report) -> Void = { _ in }
    ) -> Report {
        sequence += 1
        var report = Report(
            kind: kind, device: id, epoch: epoch, sequence: sequence, madeAt: now, model: model,
            channel: channel, state: state, attributes: attributes)
        change(&report)
        return report
    }

    package func signed(_ report: Report) -> JSON {
        report.signed(with: key.sign(report.signedBytes))
    }

    package func batch(_ reports: [JSON]) -> JSON {
        [
            "schema": .string(Reports.schema), "device": .string(id.description),
            "reports": .array(reports),
        ]
    }

    package func batch(_ reports: Report...) -> JSON { batch(reports.map(signed)) }
}

extension TestRegistry {
    /// Enrols a device with a token of its own.
    package func enrol(_ device: TestDevice, at now: UTCTime) throws {
        let seed = device.id.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var random = SeededGenerator(seed: seed)
        let tokens = try Enrolments(store: store).make(
            count: 1, life: 3_600, by: admin, at: now, using: &random)
        let enrolment = try Enrolment(device.enrolment(token: tokens[0].text))
        _ = try devices.enrol(enrolment, at: now)
    }

    /// Sends reports of one device.
    @discardableResult
    package func send(
        _ device: TestDevice, _ reports: Report..., at now: UTCTime
    ) throws -> Reports.Receipt {
        try self.reports.take(device.batch(reports.map(device.signed)), at: now)
    }
}
