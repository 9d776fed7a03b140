import Cryptography
import FleetSimulation
import Glibc
import ModelBundle
import Primitives
import Rollouts
import TUF

/// What a device downloads for a decision, and what the decision costs it.
///
///     plan-benchmark ROUNDS
///
/// The standard policy with its three stages and all gates, and the plans that the controller makes of it in its last stage for
/// fleets of 30 uneven cohorts. One line of JSON: `policy_bytes` and the largest `plan_bytes` of any fleet, without pins; what
/// each of 1,000 pins adds in thousandths of a byte (`bytes_per_pin_thousandths`); and the nanoseconds of one `decide` under the plan of a hundred devices and under that of a million
/// with 1,000 pins (`small_ns`, `large_ns`): medians of rounds in which the two take turns.
@main enum PlanBenchmark {
    private static let pins = 1_000
    private static let fleets = [100, 1_000, 10_000, 1_000_000]
    /// Decisions of one round.
    private static let decisions = 2_000

    static func main() throws {
        guard let rounds = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }),
            (1...1_000).contains(rounds)
        else {
            print("usage: plan-benchmark ROUNDS")
            exit(2)
        }
        let world = try World()
        let plans = try fleets.map { try world.plan(devices: $0) }
        let sizes = plans.map { $0.json.canonicalBytes.count }
        var large = plans[plans.count - 1]
        large.pins = world.pins(pins)
        let grown = large.json.canonicalBytes.count - sizes[sizes.count - 1]
        var times: (small: [Int64], large: [Int64]) = ([], [])
        for _ in 0..<rounds {
            times.small.append(world.nanoseconds(plans[0], decisions))
            times.large.append(world.nanoseconds(large, decisions))
        }
        let result: JSON = [
            "policy_bytes": .integer(Int64(world.policy.json.canonicalBytes.count)),
            "plan_bytes": .integer(Int64(sizes.max() ?? 0)),
            "bytes_per_pin_thousandths": .integer(Int64(grown * 1_000 / pins)),
            "small_ns": .integer(times.small.sorted()[rounds / 2]),
            "large_ns": .integer(times.large.sorted()[rounds / 2]),
        ]
        print(String(decoding: result.bytes, as: UTF8.self))
    }
}

/// A release, its policy, and devices that decide.
private struct World {
    let policy: Policy
    private let listing: Listing
    private let reference: Plan.PolicyReference
    private let baseline: BundleReference
    private let agent: SemanticVersion
    private let name: AttributeName

    struct Impossible: Error {}

    init() throws {
        guard let old = SemanticVersion("1.3.0"), let new = SemanticVersion("1.4.0"),
            let name = AttributeName("standard"), let agent = SemanticVersion("1.0.0")
        else { throw Impossible() }
        let bundles = [old, new].map { version in
            BundleReference(
                version: version, sha256: SHA256.digest(of: Array(version.description.utf8)),
                length: 30_000)
        }
        let candidate = bundles[1]
        let draft: JSON = [
            "schema": "fieldfare.policy/1", "model": "commands-en",
            "candidate": .string(new.description), "replaces": ["1.0.0..<1.4.0"],
        ]
        let policy = try PolicyDraft.complete(
            draft, candidate: candidate, now: UTCTime(clamping: 1_800_000_000))
        let path = TargetPath.policy(of: policy.model, new, name: name)
        let digest = SHA256.digest(of: policy.json.canonicalBytes)
        var listing = Listing(
            policies: [Listing.ListedPolicy(path: path, sha256: digest, policy: policy)])
        for bundle in bundles {
            listing.manifests[bundle.version] = bundle.sha256
            listing.requirements[bundle.sha256] = Requirements(
                architectures: [.x86], minimumMemory: 1 << 26, minimumDisk: 1 << 26,
                minimumAgent: agent)
        }
        self.policy = policy
        self.listing = listing
        reference = Plan.PolicyReference(path: path, sha256: digest)
        baseline = bundles[0]
        self.name = name
        self.agent = agent
    }

    /// The plan of the last stage, as the controller makes it of a fleet.
    func plan(devices: Int) throws -> Plan {
        let fleet = SimulatedFleet(
            "uneven", regions: 6, classes: 5, largest: max(1, devices / 8),
            smallest: max(1, devices / 200))
        var random = SimulationRandom(seed: 1)
        var census = FleetCensus()
        for cohort in fleet.cohorts {
            for _ in 0..<cohort.devices {
                guard let bucket = Bucket(Int.random(in: 0..<Bucket.count, using: &random)) else {
                    throw Impossible()
                }
                census.add(cohort.attributes, bucket: bucket)
            }
        }
        var state = try ControllerState(
            creating: policy, reference: reference, channel: .main, baseline: baseline, after: nil)
        var now = policy.notBefore
        let start = state.handle(
            .order(.start, by: "benchmark", reason: ""),
            ControllerFacts(now: now, census: census, isRehearsed: true))
        if let refusal = start.refusal { throw refusal }
        for stage in policy.stages.dropLast() {
            now = now + stage.leastSoak
            let step = state.handle(
                .order(.advance(unproven: true), by: "benchmark", reason: ""),
                ControllerFacts(now: now, census: census, isRehearsed: true))
            if let refusal = step.refusal { throw refusal }
        }
        guard state.plan.stages.count == policy.stages.count else { throw Impossible() }
        return state.plan
    }

    /// Pins of devices to the old release, ordered at equal distances throughout a week, each for a fortnight.
    ///
    /// They end with their days (UTC), as the registry has it.
    func pins(_ count: Int) -> [PinGroup] {
        let hashes = ids(count).map { DeviceHash(of: $0, model: policy.model) }
        let ends = (0..<count).map { number in
            let end = policy.notBefore.seconds + 14 * 86_400 + Int64(number * 7 * 86_400 / count)
            return (end + 86_399) / 86_400 * 86_400
        }
        return Dictionary(grouping: 0..<count) { ends[$0] }.sorted { $0.key < $1.key }.map {
            PinGroup(
                bundle: baseline, expires: UTCTime(clamping: $0.key),
                devices: $0.value.map { hashes[$0] })
        }
    }

    private func ids(_ count: Int) -> [DeviceID] {
        (0..<count).compactMap { number in
            DeviceID(
                bytes: Array(SHA256.digest(of: Array("device \(number)".utf8)).bytes.prefix(16)))
        }
    }

    /// The time of one decision, as the mean of so many devices.
    func nanoseconds(_ plan: Plan, _ count: Int) -> Int64 {
        let now = policy.notBefore + 30 * 86_400
        let regions = (0..<6).compactMap { AttributeName("r\($0)") }
        let classes = (0..<5).compactMap { AttributeName("c\($0)") }
        let devices = ids(count).enumerated().map { number, id in
            DeviceFacts(
                id: id, model: policy.model,
                attributes: DeviceAttributes(
                    number: 1, region: regions[number % 6], deviceClass: classes[number % 5],
                    labels: [], locale: name),
                current: baseline, committed: [baseline], agent: agent,
                hardware: DeviceFacts.Hardware(
                    architecture: .x86, memory: .max, freeDisk: .max),
                freshness: DeviceFacts.Freshness(
                    timestampSigned: now, timestampExpires: now + 86_400))
        }
        var forward = 0
        let start = clock()
        for device in devices {
            let decision = decide(plan: .plan(plan), listing: listing, device: device, now: now)
            if case .forward = decision.action { forward += 1 }
        }
        let spent = Int64(clock() - start) * 1_000_000_000 / Int64(CLOCKS_PER_SEC)
        precondition(forward > count / 2, "the last stage reaches most devices")
        return spent / Int64(count)
    }
}
