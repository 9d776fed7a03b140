import Cryptography
import ModelBundle
import Primitives
import TestSupport

@testable import Rollouts

/// Unwraps what a test wrote itself.
func made<Value>(_ value: Value?, line: Int = #line) -> Value {
    guard let value else { preconditionFailure("a test's own value is wrong, line \(line)") }
    return value
}

func name(_ text: String) -> AttributeName { made(AttributeName(text)) }

func version(_ text: String) -> SemanticVersion { made(SemanticVersion(text)) }

func bundle(_ text: String) -> BundleReference {
    BundleReference(
        version: version(text), sha256: SHA256.digest(of: Array("manifest \(text)".utf8)),
        length: 4_321)
}

func basisPoints(_ value: Int) -> BasisPoints { made(BasisPoints(Int64(value))) }

let hour: Int64 = 3_600
let day: Int64 = 86_400

/// A healthy rollout of 1.4.0 over 1.3.0 in its second stage, and one device in its share.
///
/// Tests break one thing and look at what `decide` says.
struct World {
    /// 2026-11-02T00:00:00Z, a Monday.
    static let start = made(UTCTime(iso8601: "2026-11-02T00:00:00Z"))
    static let model = made(ModelName("commands-en"))
    static let path = made(TargetPath("policies/commands-en/1.4.0.standard.json"))
    static let baselinePath = made(TargetPath("policies/commands-en/1.3.0.standard.json"))

    var policy: Policy
    var baselinePolicy: Policy
    var plan: Plan
    var device: DeviceFacts
    var approvals: [Approval] = []
    var lifts: [Lift] = []
    var manifests: [SemanticVersion: SHA256Digest]
    var requirements: [SHA256Digest: Requirements]
    var isPolicyListed = true
    /// How the policy is listed, where that is not as the plan names it.
    var listedPolicy: Plan.PolicyReference?
    var isBaselinePolicyListed = true
    var now = World.start + 2 * day

    init() {
        policy = World.policy(for: "1.4.0", replacing: ["1.0.0..<1.4.0"], from: World.start)
        baselinePolicy = World.policy(
            for: "1.3.0", replacing: ["1.0.0..<1.3.0"], from: World.start + -30 * day)
        plan = Plan(
            model: World.model, channel: .main, baseline: bundle("1.3.0"),
            candidate: bundle("1.4.0"),
            policy: Plan.PolicyReference(path: World.path, sha256: World.digest(of: policy)),
            stages: [
                Plan.BegunStage(began: World.start), Plan.BegunStage(began: World.start + day),
            ])
        device = World.device(number: World.number(in: 0..<100), current: bundle("1.3.0"))
        manifests = [:]
        requirements = [:]
        for text in ["1.2.0", "1.3.0", "1.4.0"] {
            manifests[version(text)] = bundle(text).sha256
            requirements[bundle(text).sha256] = World.requirements
        }
    }

    static let requirements = Requirements(
        architectures: [.x86], minimumMemory: 1 << 28, minimumDisk: 1 << 26,
        minimumAgent: version("1.0.0"))

    static func digest(of policy: Policy) -> SHA256Digest {
        SHA256.digest(of: policy.json.canonicalBytes)
    }

    /// A policy with all defaults, but for early pins, of which those allow none.
    static func policy(for text: String, replacing: [String], from start: UTCTime) -> Policy {
        let draft: JSON = [
            "model": .string(model.description), "candidate": .string(text),
            "replaces": .array(replacing.map { .string($0) }),
            "not_before": .integer(start.seconds), "max_pins": 10,
        ]
        do {
            return try PolicyDraft.complete(draft, candidate: bundle(text), now: start)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    static func id(_ number: Int) -> DeviceID {
        made(
            DeviceID(
                bytes: Array(SHA256.digest(of: Array("device \(number)".utf8)).bytes.prefix(16))))
    }

    /// The first device whose bucket for 1.4.0 lies in `range`.
    static func number(in range: Range<Int>) -> Int {
        let manifest = bundle("1.4.0").sha256
        return made(
            (0..<100_000).first { range.contains(Bucket(of: id($0), candidate: manifest).value) })
    }

    static func device(number: Int, current: BundleReference?) -> DeviceFacts {
        DeviceFacts(
            id: id(number), model: model,
            attributes: DeviceAttributes(
                number: 1, region: name("eu"), deviceClass: name("hub"),
                labels: [name("office")], locale: name("en-GB")),
            current: current, idle: bundle("1.2.0"),
            committed: [bundle("1.2.0"), bundle("1.3.0")], agent: version("1.0.0"),
            hardware: DeviceFacts.Hardware(
                architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30),
            freshness: DeviceFacts.Freshness(
                timestampSigned: start + 2 * day + -hour, timestampExpires: start + 3 * day))
    }

    var listing: Listing {
        var policies: [Listing.ListedPolicy] = []
        if isPolicyListed {
            let listed = listedPolicy ?? plan.policy
            policies.append(
                Listing.ListedPolicy(path: listed.path, sha256: listed.sha256, policy: policy))
        }
        if isBaselinePolicyListed {
            policies.append(
                Listing.ListedPolicy(
                    path: World.baselinePath, sha256: World.digest(of: baselinePolicy),
                    policy: baselinePolicy))
        }
        return Listing(
            policies: policies, manifests: manifests, requirements: requirements,
            approvals: approvals, lifts: lifts)
    }

    func decision() -> Decision {
        decide(plan: .plan(plan), listing: listing, device: device, now: now)
    }

    /// Moves the clock, with a timestamp that is as fresh as before.
    mutating func move(to time: UTCTime) {
        now = time
        device.freshness = DeviceFacts.Freshness(
            timestampSigned: time + -hour, timestampExpires: time + day,
            expiredOfflineRoles: device.freshness.expiredOfflineRoles)
    }

    /// Puts all stages in force at the earliest moment of the last.
    mutating func moveToLastStage() {
        plan.stages = policy.stages.indices.map {
            Plan.BegunStage(began: policy.earliest(ofStage: $0))
        }
        move(to: policy.earliest(ofStage: policy.stages.count - 1) + hour)
    }

    mutating func pin(_ text: String, also others: Int = 0) {
        let hashes = (0..<others).map { DeviceHash(value: UInt64($0)) }
        plan.pins = [
            PinGroup(
                bundle: bundle(text), expires: now + day,
                devices: hashes + [DeviceHash(of: device.id, model: World.model)])
        ]
    }

    mutating func rollBack() {
        plan.state = .rolledBack
        plan.withdrawn = [
            Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: now)
        ]
    }
}
