import Primitives
import RegistryCore
import RegistryDatabase
import RegistryTestSupport
import TUF
import Telemetry
import TestSupport
import Testing

/// SQLite and memory answer alike, whatever devices report in whatever order.
struct DifferentialTests {
    private let folder = ScratchFolder("registry-differential")
    private let now = UTCTime(clamping: 1_764_000_000)

    /// All that can be asked of a store about the fleet.
    private func answers(
        _ registry: TestRegistry, _ devices: [TestDevice], _ versions: [SemanticVersion]
    ) throws -> [String] {
        var answers: [String] = []
        let channels = try [ChannelName.main, #require(ChannelName("beta"))]
        let model = registry.model
        try registry.store.read { (records) throws(RegistryError) in
            for device in devices {
                answers.append("\(String(describing: try records.device(device.id)))")
                answers.append("\(String(describing: try records.hearing(device.id)))")
                answers += try records.figures(of: device.id).map { "\($0)" }
                answers += try records.facts(of: device.id).map { Self.text($0) }
            }
            for version in versions {
                answers.append(
                    Self.text(
                        try records.lastHeard(
                            in: now..<(now + 40), notExposedTo: version, of: model)))
                for channel in channels {
                    let exposure = try records.exposure(
                        model: model, channel: channel, candidate: version)
                    answers.append("\(channel) \(Self.text(exposure))")
                    for window in [now, now + 50] {
                        for limit in [3, 100] {
                            let query = SampleQuery(
                                model: model, channel: channel, candidate: version,
                                window: window, limit: limit)
                            answers += try records.samples(query).map { Self.text($0) }
                        }
                    }
                }
            }
            for channel in channels {
                let all = try records.subscribers(model: model, channel: channel)
                answers += all.map { "\($0)" }.sorted()
            }
            let gaps = try records.gaps(since: 0)
            answers += gaps.map { "\($0.key) \(Self.text($0.value))" }.sorted()
        }
        return answers
    }

    private func compare(
        _ one: TestRegistry, _ other: TestRegistry, _ devices: [TestDevice],
        _ versions: [SemanticVersion]
    ) throws {
        let mine = try answers(one, devices, versions)
        let theirs = try answers(other, devices, versions)
        #expect(mine.count == theirs.count)
        let different = zip(mine, theirs).first { $0 != $1 }
        #expect(different?.0 == different?.1)
    }

    private static func text(_ row: FactsRow) -> String {
        let facts = String(decoding: row.facts.json.canonicalBytes, as: UTF8.self)
        let times = [row.exposed, row.exposedWindow, row.attempted, row.updated]
        return "\(row.key) \(facts) \(times)"
    }

    private static func text(_ row: SampleRow) -> String {
        let facts = row.facts.map { Self.text($0) } ?? "none"
        return "\(row.device) \(row.attributes) \(String(describing: row.heard)) \(facts) "
            + "\(String(describing: row.figures))"
    }

    private static func text<Key: Hashable>(_ counts: [Key: Int]) -> String {
        counts.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    }

    private func random(
        _ device: inout TestDevice, _ versions: [SemanticVersion], at time: UTCTime,
        _ random: inout SeededGenerator
    ) throws -> Report {
        let kind = try #require(
            [ReportKind.periodic, .transition, .attempt, .swapBeacon].randomElement(using: &random))
        let state = try #require(ReportedState.allCases.randomElement(using: &random))
        let trace = try #require(TraceID("0123456789abcdef0123456789abcdef"))
        let beta = try #require(ChannelName("beta"))
        return device.report(kind, state, at: time) { report in
            report.version = versions.randomElement(using: &random)
            report.candidate = versions.randomElement(using: &random)
            report.attempt = AttemptMark(number: .random(in: 1...4, using: &random), trace: trace)
            if Bool.random(using: &random) { report.channel = beta }
            if Int.random(in: 0..<4, using: &random) > 0 {
                report.place = RolloutPlace(
                    plan: 1, stage: 0, arm: Bool.random(using: &random) ? .treated : .control,
                    window: Bool.random(using: &random) ? now : now + 50)
            }
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `both stores answer alike`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let memory = TestRegistry()
        let sqlite = TestRegistry(store: try SQLiteStore(path: folder.path("\(seed).sqlite")))
        let versions = try ["1.0.0", "1.1.0", "2.0.0"].map { try #require(SemanticVersion($0)) }
        var devices = (0..<6).map { index in
            TestDevice(
                "d\(index)", model: memory.model, region: index % 2 == 0 ? "eu" : "us")
        }
        for registry in [memory, sqlite] {
            try registry.found(at: now)
            for device in devices { try registry.enrol(device, at: now) }
        }
        var time = now
        for _ in 0..<60 {
            time = time + Int64.random(in: 0...20, using: &generator)
            let index = Int.random(in: 0..<devices.count, using: &generator)
            let report = try random(&devices[index], versions, at: time, &generator)
            for registry in [memory, sqlite] {
                try registry.send(devices[index], report, at: time)
            }
        }
        try compare(sqlite, memory, devices, versions)

        for registry in [memory, sqlite] {
            try registry.store.write { (records) throws(RegistryError) in
                _ = try records.forget(devices[0].id)
                _ = try records.dropReports(olderThan: now + 300)
            }
        }

        try compare(sqlite, memory, devices, versions)
    }
}
