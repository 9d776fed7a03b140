import Cryptography
import Primitives
import RegistryCore
import RegistryTestSupport
import Telemetry
import TestSupport
import Testing

struct DevicesTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    private func device(_ name: String = "one") -> TestDevice {
        TestDevice(name, model: registry.model)
    }

    private func token(life: Int64 = 3_600, seed: UInt64 = 5) throws -> String {
        var random = SeededGenerator(seed: seed)
        return try Enrolments(store: registry.store).make(
            count: 1, life: life, by: registry.admin, at: now, using: &random)[0].text
    }

    private func enrol(_ json: JSON, at time: UTCTime? = nil) throws -> Devices.Receipt {
        try registry.devices.enrol(try Enrolment(json), at: time ?? now)
    }

    @Test func `a device's id is the first half of its key's digest`() throws {
        let device = device()
        let receipt = try enrol(device.enrolment(token: try token()))
        #expect(receipt.isNew)
        #expect(
            receipt.device.bytes
                == Array(SHA256.digest(of: device.key.publicKey.bytes).bytes.prefix(16)))
        #expect(try registry.events() == ["enrolments.made", "device.enrolled"])
    }

    @Test func `enrolling again is harmless, also with the spent token`() throws {
        let token = try token()
        let device = device()
        let first = try enrol(device.enrolment(token: token))
        let again = try enrol(device.enrolment(token: token))
        #expect(again.device == first.device)
        #expect(!again.isNew)
        #expect(try registry.events().count == 2)
    }

    @Test func `a token is good for one device and for its time`() throws {
        let token = try token(life: 60)
        #expect(throws: RegistryError.unauthorised) {
            try enrol(device().enrolment(token: token), at: now + 60)
        }
        _ = try enrol(device().enrolment(token: token), at: now + 59)
        #expect(throws: RegistryError.unauthorised) {
            try enrol(device("two").enrolment(token: token))
        }
        let unknown = "fe_" + String(repeating: "A", count: 43)
        #expect(throws: RegistryError.unauthorised) {
            try enrol(device("two").enrolment(token: unknown))
        }
    }

    @Test func `an enrolment token whose digest only begins alike is another one`() throws {
        var random = SeededGenerator(seed: 3)
        let text = BearerText(.enrolment, using: &random)
        var bytes = text.digest.bytes
        bytes[31] ^= 1
        let digest = try #require(SHA256Digest(bytes))
        try registry.store.write { (records) throws(RegistryError) in
            try records.setEnrolment(
                EnrolmentRecord(digest: digest, created: now, expires: now + 60))
        }
        #expect(throws: RegistryError.unauthorised) {
            try enrol(device().enrolment(token: text.text))
        }
    }

    @Test func `a request that the device's own key has not signed is refused`() throws {
        let token = try token()
        let device = device()
        let other = self.device("two")
        let stolen = device.enrolment(token: token) { fields in
            fields["public_key"] = .string(other.key.publicKey.hex)
        }
        #expect(throws: RegistryError.wrongSignature(other.id)) { try enrol(stolen) }
        let changed = device.enrolment(token: token) { _ in
        } spoil: { fields in
            fields["agent"] = "9.9.9"
        }
        #expect(throws: RegistryError.wrongSignature(device.id)) { try enrol(changed) }
        // The token is still good: nothing has changed.
        #expect(try enrol(device.enrolment(token: token)).isNew)
    }

    @Test func `a key of small order is no device`() throws {
        let weak = try #require(
            Ed25519PublicKey(hex: "01" + String(repeating: "00", count: 31)))
        let json = device().enrolment(token: try token()) { _ in
        } spoil: { fields in
            fields["public_key"] = .string(weak.hex)
        }
        #expect(throws: RegistryError.self) { try enrol(json) }
    }

    @Test(arguments: ["schema", "public_key", "token", "attributes", "agent", "signature"])
    func `each field must be there, and no other`(field: String) throws {
        let json = device().enrolment(token: try token()) { _ in
        } spoil: { fields in
            fields[field] = nil
        }
        let error = #expect(throws: FieldError.self) { try Enrolment(json) }
        #expect(error?.path == field)
        let more = device().enrolment(token: try token(seed: 6)) { fields in
            fields["extra"] = 1
        }
        #expect(throws: FieldError.self) { try Enrolment(more) }
    }

    @Test func `attributes with a higher number are taken over, older ones are not`() throws {
        let token = try token()
        var device = device()
        _ = try enrol(device.enrolment(token: token))
        let region = try #require(AttributeName("us"))
        device.attributes = DeviceAttributes(
            number: 3, region: region, deviceClass: device.attributes.deviceClass,
            locale: device.attributes.locale)
        _ = try enrol(device.enrolment(token: token), at: now + 10)
        var detail = try registry.devices.detail(of: device.id, by: registry.admin)
        #expect(detail.record.attributes == device.attributes)
        #expect(detail.record.attributesReceived == now + 10)
        device = self.device()
        _ = try enrol(device.enrolment(token: token), at: now + 20)
        detail = try registry.devices.detail(of: device.id, by: registry.admin)
        #expect(detail.record.attributes.number == 3)
        #expect(detail.json(at: now + 40)["attributes_age_s"]?.integer == 30)
    }

    @Test func `revoking a device deletes its rows, and its reports are refused`() throws {
        try registry.found(at: now)
        var device = device()
        try registry.enrol(device, at: now)
        let report = device.report(at: now)
        try registry.send(device, report, at: now)
        #expect(
            try registry.devices.detail(of: device.id, by: registry.admin).figures.count == 1)
        let reader = Principal(id: .registry, name: "r", scopes: [Scope(.read)])
        #expect(throws: RegistryError.forbidden(needs: Scope(.operate))) {
            try registry.devices.revoke(device.id, reason: "sold", by: reader, at: now)
        }
        try registry.devices.revoke(device.id, reason: "sold", by: registry.admin, at: now)
        let missing = RegistryError.notFound("device", device.id.description)
        #expect(throws: missing) {
            try registry.devices.detail(of: device.id, by: registry.admin)
        }
        #expect(throws: missing) { try registry.send(device, report, at: now) }
        #expect(throws: missing) {
            try registry.devices.revoke(device.id, reason: "", by: registry.admin, at: now)
        }
        let left = try registry.store.read { (records) throws(RegistryError) in
            try records.figures(of: device.id)
        }
        #expect(left == [])
        #expect(try registry.events().last == "device.revoked")
    }

    @Test func `a revoked device's token does not bring it back`() throws {
        let token = try token()
        let device = device()
        _ = try enrol(device.enrolment(token: token))
        try registry.devices.revoke(device.id, reason: "lost", by: registry.admin, at: now)
        #expect(throws: RegistryError.unauthorised) {
            try enrol(device.enrolment(token: token))
        }
    }

    @Test func `devices are listed in pages, in order`() throws {
        let devices = (0..<5).map { device("d\($0)") }.sorted { $0.id < $1.id }
        for device in devices { try registry.enrol(device, at: now) }
        let page = try registry.devices.list(after: nil, limit: 2, by: registry.admin)
        #expect(page.map(\.record.id) == devices[..<2].map(\.id))
        let rest = try registry.devices.list(
            after: page.last?.record.id, limit: 1_000, by: registry.admin)
        #expect(rest.map(\.record.id) == devices[2...].map(\.id))
    }
}
