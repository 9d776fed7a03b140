import Cryptography
import Primitives
import RegistryCore
import RegistryTestSupport
import Telemetry
import TestSupport
import Testing

struct ReportsTests {
    private let registry = TestRegistry()
    private let now = UTCTime(clamping: 1_764_000_000)

    private func enrolled(_ name: String = "one") throws -> TestDevice {
        let device = TestDevice(name, model: registry.model)
        try registry.found(at: now)
        try registry.enrol(device, at: now)
        return device
    }

    private func turns(_ count: Int64) -> TurnTally {
        var tally = TurnTally()
        for _ in 0..<count { tally.record(TurnRecord(latencyMicroseconds: 400_000)) }
        return tally
    }

    private func detail(_ device: TestDevice) throws -> Devices.Detail {
        try registry.devices.detail(of: device.id, by: registry.admin)
    }

    @Test func `an accepted report can be read back, byte for byte`() throws {
        var device = try enrolled()
        let report = device.report(at: now) { $0.tally = turns(12) }
        let receipt = try registry.send(device, report, at: now + 5)
        #expect(receipt.accepted == [1])
        #expect(receipt.refused == [])
        let row = try #require(try detail(device).figures.first)
        #expect(row.report == report)
        #expect(row.bytes == device.signed(report).canonicalBytes)
        #expect(row.received == now + 5)
        #expect(try detail(device).heard == now + 5)
    }

    @Test func `reports of another edition of the schema are accepted and counted`() throws {
        var device = try enrolled()
        let hashes = [Report.schemaHash, "0011223344556677", nil] as [String?]
        let reports = hashes.map { hash in device.report(at: now) { $0.schemaHash = hash } }
        let receipt = try registry.reports.take(
            device.batch(reports.map(device.signed)), at: now)
        #expect(receipt.accepted == [1, 2, 3] && receipt.refused.isEmpty)
        #expect(receipt.otherSchemas == 2)
    }

    @Test func `a batch of the next version is read as far as this one knows it`() throws {
        var device = try enrolled()
        func batch(_ schema: String) throws -> JSON {
            var fields = try #require(device.batch(device.report(at: now)).object)
            fields["schema"] = .string(schema)
            fields["sent_at"] = 7
            return .object(fields)
        }
        let receipt = try registry.reports.take(try batch("fieldfare.report-batch/2"), at: now)
        #expect(receipt.accepted == [1])
        for schema in ["fieldfare.report-batch/1", "fieldfare.report-batch/3"] {
            #expect(throws: RegistryError.self) {
                try registry.reports.take(try batch(schema), at: now)
            }
        }
    }

    // MARK: What is refused

    @Test func `a report signed by another device is refused and changes nothing`() throws {
        var device = try enrolled()
        let other = TestDevice("two", model: registry.model)
        let report = device.report(at: now)
        let forged = report.signed(with: other.key.sign(report.signedBytes))
        let receipt = try registry.reports.take(device.batch([forged]), at: now)
        #expect(receipt.accepted == [])
        #expect(receipt.refused.map(\.code) == [Reports.wrongSignature])
        #expect(receipt.refused.map(\.sequence) == [1])
        #expect(try detail(device).figures == [])
        #expect(try detail(device).heard == nil)
    }

    @Test func `a report of another device in the batch is refused`() throws {
        let device = try enrolled()
        var other = TestDevice("two", model: registry.model)
        try registry.enrol(other, at: now)
        let foreign = other.signed(other.report(at: now))
        let receipt = try registry.reports.take(device.batch([foreign]), at: now)
        #expect(receipt.refused.map(\.code) == [Reports.foreignDevice])
        #expect(try detail(other).figures == [])
    }

    @Test func `impossible counts, future times and unknown schemas never reach the gate`() throws {
        var device = try enrolled()
        let ahead = now + Report.clockTolerance + 1
        let impossible = device.report(at: now) { report in
            report.tally = turns(3)
            report.tally.counters.errors = 4
        }
        let future = device.report(at: ahead)
        let attempt = device.report(.attempt, at: now)
        var newer = device.report(at: now).json.object ?? [:]
        newer["schema"] = "fieldfare.report/9"
        let unknown = JSON.object(newer)
        let reports = [
            device.signed(impossible), device.signed(future), device.signed(attempt),
            [
                "signed": unknown,
                "signature": .string(Hex.encode(device.key.sign(unknown.canonicalBytes))),
            ], "nonsense",
        ]
        let receipt = try registry.reports.take(device.batch(reports), at: now)
        #expect(
            receipt.refused.map(\.code) == [
                "impossible-count", "future-time", "kind-mismatch", "unknown-schema",
                "malformed-report",
            ])
        #expect(receipt.refused.map(\.sequence) == [1, 2, 3, 4, 0])
        #expect(receipt.accepted == [])
        #expect(try detail(device).figures == [])
    }

    @Test func `one bad report does not keep the good ones out`() throws {
        var device = try enrolled()
        let good = device.report(at: now)
        let bad = device.report(at: now + 9_999)
        let better = device.report(at: now)
        let receipt = try registry.send(device, good, bad, better, at: now)
        #expect(receipt.accepted == [1, 3])
        #expect(receipt.refused.map(\.sequence) == [2])
    }

    @Test func `a model that the repository does not have is refused`() throws {
        _ = try enrolled()
        let other = try #require(ModelName("commands-de"))
        var device = TestDevice("one", model: other)
        let receipt = try registry.send(device, device.report(at: now), at: now)
        #expect(receipt.refused.map(\.code) == [Reports.unknownModel])
    }

    @Test func `an unknown device is not found, and a batch that is none is malformed`() throws {
        try registry.found(at: now)
        var device = TestDevice("stranger", model: registry.model)
        #expect(throws: RegistryError.notFound("device", device.id.description)) {
            try registry.send(device, device.report(at: now), at: now)
        }
        let many = device.batch([JSON](repeating: .null, count: Reports.batchLimit + 1))
        for json: JSON in [[:], "x", many] {
            let error = #expect(throws: RegistryError.self) {
                try registry.reports.take(json, at: now)
            }
            #expect(error?.code == .malformedRequest)
        }
    }

    // MARK: Replays

    /// All reports of a device's life with one candidate, in their true order.
    private func life(of device: inout TestDevice) throws -> [Report] {
        let old = try #require(SemanticVersion("1.0.0"))
        let new = try #require(SemanticVersion("1.1.0"))
        let place = RolloutPlace(plan: 2, stage: 0, arm: .treated, window: now)
        let trace = try #require(TraceID("0123456789abcdef0123456789abcdef"))
        let mark = AttemptMark(number: 1, trace: trace)
        return [
            device.report(at: now) { report in
                report.version = old
                report.tally = turns(5)
            },
            device.report(.attempt, .attempting, at: now) { report in
                report.version = old
                report.candidate = new
                report.attempt = mark
                report.place = place
            },
            device.report(.smoke, .attempting, at: now) { report in
                report.version = old
                report.candidate = new
                report.attempt = mark
                report.smoke = SmokeFigures()
                report.place = place
            },
            device.report(.swapBeacon, .swapping, at: now) { report in
                report.version = old
                report.candidate = new
                report.place = place
            },
            device.report(.periodic, .probation, at: now) { report in
                report.version = new
                report.candidate = new
                report.place = place
                report.tally = turns(20)
            },
            device.report(.periodic, .committed, at: now) { report in
                report.version = new
                report.candidate = new
                report.place = place
                report.tally = turns(45)
            },
        ]
    }

    /// What the gate and people see of a device, without when it arrived.
    private func view(_ device: TestDevice, in registry: TestRegistry) throws -> [String] {
        let detail = try registry.devices.detail(of: device.id, by: registry.admin)
        let figures = detail.figures.map { "\($0.report.json.canonicalBytes)" }.sorted()
        return figures + detail.facts.map { "\($0.key) \($0.facts)" }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `order, repetition and splitting make no difference`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var device = try enrolled()
        let reports = try life(of: &device)
        for report in reports { try registry.send(device, report, at: now) }
        let expected = try view(device, in: registry)

        let other = TestRegistry()
        try other.found(at: now)
        try other.enrol(device, at: now)
        var queue = (reports + reports + reports.prefix(3)).shuffled(using: &random)
        while !queue.isEmpty {
            let count = Int.random(in: 1...min(4, queue.count), using: &random)
            let part = queue.prefix(count).map(device.signed)
            let receipt = try other.reports.take(device.batch(part), at: now)
            #expect(receipt.accepted.count == count)
            queue.removeFirst(count)
        }
        #expect(try view(device, in: other) == expected)
    }

    @Test func `a replay is no sign of life, and does not move the exposure`() throws {
        var device = try enrolled()
        let reports = try life(of: &device)
        for report in reports { try registry.send(device, report, at: now) }
        for report in reports { try registry.send(device, report, at: now + 9_000) }
        let detail = try detail(device)
        #expect(detail.heard == now)
        #expect(detail.facts.first?.exposed == now)
        #expect(detail.facts.first?.exposedWindow == now)
        #expect(detail.facts.first?.attempted == now)
    }

    @Test func `a device cannot fill the store`() throws {
        var device = try enrolled()
        for index in 0..<(ReportLimits.figures + 20) {
            let time = now + Int64(index)
            let version = try #require(SemanticVersion("1.0.\(index)"))
            try registry.send(
                device,
                device.report(at: time) { report in
                    report.version = version
                    report.candidate = version
                }, at: time)
        }
        let detail = try detail(device)
        #expect(detail.figures.count == ReportLimits.figures)
        #expect(detail.facts.count == ReportLimits.facts)
        #expect(detail.figures.first?.report.version?.patch == ReportLimits.figures + 19)
    }

    @Test func `attributes that a report brings are taken over by their number`() throws {
        var device = try enrolled()
        let region = try #require(AttributeName("us"))
        device.attributes = DeviceAttributes(
            number: 2, region: region, deviceClass: device.attributes.deviceClass,
            locale: device.attributes.locale)
        try registry.send(device, device.report(at: now), at: now + 7)
        let record = try detail(device).record
        #expect(record.attributes.region == region)
        #expect(record.attributesReceived == now + 7)
    }

    @Test func `pauses of a resting device are counted, those around a swap are not`() throws {
        var device = try enrolled()
        let hour: Int64 = 3_600
        for (index, state) in [ReportedState.committed, .idle, .probation, .committed].enumerated()
        {
            let time = now + Int64(index) * hour
            try registry.send(device, device.report(.periodic, state, at: time), at: time)
        }
        let gaps = try registry.store.read { (records) throws(RegistryError) in
            try records.gaps(since: now.seconds / 86_400)
        }
        #expect(gaps == [device.attributes.cohort: [GapBucket(seconds: hour): 2]])
    }

    @Test(arguments: [1, 59, 60, 3_599, 43_200, 86_400, 2_592_000] as [Int64])
    func `a pause is sorted within nine hundredths of its length`(seconds: Int64) {
        let bucket = GapBucket(seconds: seconds)
        #expect(bucket.mayExceed(seconds - 1))
        #expect(!bucket.mayExceed(Int64(Double(seconds) * 1.0906) + 1))
    }
}
