import Cryptography
package import Primitives
import Telemetry

/// Enrols devices, shows them, and forgets them.
package struct Devices: Sendable {
    package static let pageLimit = 1_000

    /// What became of an enrolment.
    package struct Receipt: Sendable, Hashable {
        package let device: DeviceID
        /// False where the device was known already.
        package let isNew: Bool
    }

    /// A device with all that it has reported.
    package struct Detail: Sendable, Hashable {
        package let record: DeviceRecord
        /// When it was last heard; nil where it never was since it enrolled.
        package let heard: UTCTime?
        /// Its newest figures, newest first.
        package let figures: [FiguresRow]
        package let facts: [FactsRow]
    }

    private let store: any RegistryStoring

    package init(store: any RegistryStoring) {
        self.store = store
    }

    /// Makes a device known, whose id follows from its key, and uses its token up.
    ///
    /// Again with the same key is harmless, and takes over attributes with a higher number.
    ///
    /// - Throws: `.wrongSignature`; `.unauthorised` for a token that is unknown, expired or used by
    ///   another device.
    package func enrol(
        _ enrolment: Enrolment, at now: UTCTime
    ) throws(RegistryError) -> Receipt {
        let id = DeviceID(of: enrolment.publicKey)
        guard enrolment.isSigned else { throw .wrongSignature(id) }
        return try store.write { (records) throws(RegistryError) in
            if let known = try records.device(id) {
                if let updated = known.updated(by: enrolment, at: now) {
                    try records.setDevice(updated)
                }
                return Receipt(device: id, isNew: false)
            }
            try use(enrolment.token, for: id, in: records, at: now)
            try records.setDevice(
                DeviceRecord(
                    publicKey: enrolment.publicKey, enrolled: now,
                    attributes: enrolment.attributes, attributesReceived: now,
                    agent: enrolment.agent))
            try records.append(.deviceEnrolled(id), by: .device(id), at: now)
            return Receipt(device: id, isNew: true)
        }
    }

    private func use(
        _ token: BearerText, for device: DeviceID, in records: any RegistryRecords,
        at now: UTCTime
    ) throws(RegistryError) {
        let digest = token.digest
        let candidates = try records.enrolments(digestPrefix: Array(digest.bytes.prefix(8)))
        let found = candidates.first {
            ConstantTime.areEqual($0.digest.bytes, digest.bytes)
        }
        guard var record = found, record.use == .unused, now < record.expires else {
            throw .unauthorised
        }
        record.use = .used(by: device)
        try records.setEnrolment(record)
    }

    /// Devices in order of their ids, after `id`.
    package func list(
        after id: DeviceID?, limit: Int, by actor: Principal
    ) throws(RegistryError) -> [Detail] {
        try authorise(actor, .read, on: .registry)
        let limit = min(max(1, limit), Self.pageLimit)
        return try store.read { (records) throws(RegistryError) in
            var page: [Detail] = []
            for record in try records.devices(after: id, limit: limit) {
                page.append(try Self.detail(record, in: records))
            }
            return page
        }
    }

    package func detail(
        of id: DeviceID, by actor: Principal
    ) throws(RegistryError) -> Detail {
        try authorise(actor, .read, on: .registry)
        return try store.read { (records) throws(RegistryError) in
            guard let record = try records.device(id) else {
                throw .notFound("device", id.description)
            }
            return try Self.detail(record, in: records)
        }
    }

    /// Revokes a device: its rows are deleted, and its reports are refused from now on.
    package func revoke(
        _ id: DeviceID, reason: String, by actor: Principal, at now: UTCTime
    ) throws(RegistryError) {
        try authorise(actor, .operate, on: .registry)
        try checkFreeText(reason, named: "reason", limit: RolloutDesk.reasonLimit)
        try store.write { (records) throws(RegistryError) in
            guard try records.forget(id) else { throw .notFound("device", id.description) }
            try records.append(
                .deviceRevoked(id, reason: reason), by: Actor(actor), at: now)
        }
    }

    private static func detail(
        _ record: DeviceRecord, in records: any RegistryRecords
    ) throws(RegistryError) -> Detail {
        Detail(
            record: record, heard: try records.hearing(record.id)?.at,
            figures: try records.figures(of: record.id),
            facts: try records.facts(of: record.id))
    }
}

extension DeviceRecord {
    /// The record with what an enrolment says anew; nil where it says nothing new.
    fileprivate func updated(by enrolment: Enrolment, at now: UTCTime) -> DeviceRecord? {
        var updated = self
        updated.agent = enrolment.agent
        updated.take(enrolment.attributes, at: now)
        return updated == self ? nil : updated
    }

    /// Takes attributes over where their number is higher; the same number again tells nothing new.
    mutating func take(_ new: DeviceAttributes, at now: UTCTime) {
        guard new.number > attributes.number else { return }
        attributes = new
        attributesReceived = now
    }
}
