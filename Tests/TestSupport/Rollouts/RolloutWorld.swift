import AgentCore
import Cryptography
package import ModelBundle
package import Primitives
package import Rollouts
import Synchronization

/// Unwraps what a test wrote itself.
func made<Value>(_ value: Value?, line: Int = #line) -> Value {
    guard let value else { preconditionFailure("a test's own value is wrong, line \(line)") }
    return value
}

func name(_ text: String) -> AttributeName { made(AttributeName(text)) }

func version(_ text: String) -> SemanticVersion { made(SemanticVersion(text)) }

func bundle(_ text: String) -> BundleReference { RolloutWorld.reference(text) }

func basisPoints(_ value: Int) -> BasisPoints { made(BasisPoints(Int64(value))) }

let hour: Int64 = 3_600
let day: Int64 = 86_400

/// A healthy rollout of 1.4.0 over 1.3.0 in its second stage, and one device in its share.
///
/// Tests break one thing and look at what `decide` says, or an agent to whom the whole is published.
package struct RolloutWorld {
    /// 2026-11-02T00:00:00Z, a Monday.
    package static let start = made(UTCTime(iso8601: "2026-11-02T00:00:00Z"))
    package static let model = made(ModelName("commands-en"))
    package static let path = made(TargetPath("policies/commands-en/1.4.0.standard.json"))
    package static let baselinePath = made(TargetPath("policies/commands-en/1.3.0.standard.json"))

    /// The plan names it by the digest that it has.
    package var policy: Policy {
        didSet {
            plan.policy = Plan.PolicyReference(
                path: plan.policy.path, sha256: Self.digest(of: policy))
        }
    }
    package var baselinePolicy: Policy
    package var plan: Plan
    package var device: DeviceFacts
    package var approvals: [Approval] = []
    package var lifts: [Lift] = []
    package var manifests: [SemanticVersion: SHA256Digest]
    package var requirements: [SHA256Digest: Requirements]
    package var isPolicyListed = true
    /// How the policy is listed, where that is not as the plan names it.
    package var listedPolicy: Plan.PolicyReference?
    package var isBaselinePolicyListed = true
    package var now = RolloutWorld.start + 2 * day

    package init() {
        policy = RolloutWorld.policy(
            for: "1.4.0", replacing: ["1.0.0..<1.4.0"], from: RolloutWorld.start)
        baselinePolicy = RolloutWorld.policy(
            for: "1.3.0", replacing: ["1.0.0..<1.3.0"], from: RolloutWorld.start + -30 * day)
        plan = Plan(
            model: RolloutWorld.model, channel: .main, baseline: bundle("1.3.0"),
            candidate: bundle("1.4.0"),
            policy: Plan.PolicyReference(
                path: RolloutWorld.path, sha256: RolloutWorld.digest(of: policy)),
            stages: [
                Plan.BegunStage(began: RolloutWorld.start),
                Plan.BegunStage(began: RolloutWorld.start + day),
            ])
        device = RolloutWorld.device(
            number: RolloutWorld.number(in: 0..<100), current: bundle("1.3.0"))
        manifests = [:]
        requirements = [:]
        for text in ["1.2.0", "1.3.0", "1.4.0"] {
            manifests[version(text)] = bundle(text).sha256
            requirements[bundle(text).sha256] = RolloutWorld.requirements
        }
    }

    package static let requirements = Requirements(
        architectures: [.x86], minimumMemory: 1 << 28, minimumDisk: 1 << 26,
        minimumAgent: version("1.0.0"))

    private static let releases = Mutex([String: MemoryBundle]())

    /// The bundle of a version, the same bytes each time.
    package static func release(_ text: String) -> MemoryBundle {
        releases.withLock { releases in
            if let known = releases[text] { return known }
            let needs: JSON = [
                "arch": ["x86_64"], "min_memory": .integer(requirements.minimumMemory),
                "min_disk": .integer(requirements.minimumDisk), "min_agent": "1.0.0",
            ]
            guard let new = try? MemoryBundle(text, alter: { $0["requirements"] = needs }) else {
                preconditionFailure("no bundle of version \(text)")
            }
            releases[text] = new
            return new
        }
    }

    package static func reference(_ text: String) -> BundleReference {
        release(text).target.reference
    }

    package static func digest(of policy: Policy) -> SHA256Digest {
        SHA256.digest(of: policy.json.canonicalBytes)
    }

    /// A policy with all defaults, but for early pins, of which those allow none.
    package static func policy(for text: String, replacing: [String], from start: UTCTime) -> Policy
    {
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

    package static func id(_ number: Int) -> DeviceID {
        made(
            DeviceID(
                bytes: Array(SHA256.digest(of: Array("device \(number)".utf8)).bytes.prefix(16))))
    }

    /// The first device whose bucket for 1.4.0 lies in `range`.
    package static func number(in range: Range<Int>) -> Int {
        let manifest = bundle("1.4.0").sha256
        return made(
            (0..<100_000).first { range.contains(Bucket(of: id($0), candidate: manifest).value) })
    }

    package static func device(number: Int, current: BundleReference?) -> DeviceFacts {
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

    package var listing: Listing {
        var policies: [Listing.ListedPolicy] = []
        if isPolicyListed {
            let listed = listedPolicy ?? plan.policy
            policies.append(
                Listing.ListedPolicy(path: listed.path, sha256: listed.sha256, policy: policy))
        }
        if isBaselinePolicyListed {
            policies.append(
                Listing.ListedPolicy(
                    path: RolloutWorld.baselinePath,
                    sha256: RolloutWorld.digest(of: baselinePolicy),
                    policy: baselinePolicy))
        }
        return Listing(
            policies: policies, manifests: manifests, requirements: requirements,
            approvals: approvals, lifts: lifts)
    }

    /// The release documents as `model.<m>` lists them.
    package var documents: [(path: TargetPath, bytes: [UInt8])] {
        var documents: [(path: TargetPath, bytes: [UInt8])] = []
        if isBaselinePolicyListed {
            documents.append((RolloutWorld.baselinePath, baselinePolicy.json.canonicalBytes))
        }
        if isPolicyListed {
            let listed = listedPolicy ?? plan.policy
            // A line end more makes another digest of the same policy.
            let end: [UInt8] = listed.sha256 == plan.policy.sha256 ? [] : [0x0A]
            documents.append((listed.path, policy.json.canonicalBytes + end))
        }
        for (index, approval) in approvals.enumerated() {
            let path = made(TargetPath("policies/commands-en/1.4.0.s\(index).approval.json"))
            documents.append((path, approval.json.canonicalBytes))
        }
        return documents
    }

    package func decision() -> Decision {
        decide(plan: .plan(plan), listing: listing, device: device, now: now)
    }

    /// Moves the clock, with a timestamp that is as fresh as before.
    package mutating func move(to time: UTCTime) {
        now = time
        device.freshness = DeviceFacts.Freshness(
            timestampSigned: time + -hour, timestampExpires: time + day,
            expiredOfflineRoles: device.freshness.expiredOfflineRoles)
    }

    /// Puts all stages in force at the earliest moment of the last.
    package mutating func moveToLastStage() {
        plan.stages = policy.stages.indices.map {
            Plan.BegunStage(began: policy.earliest(ofStage: $0))
        }
        move(to: policy.earliest(ofStage: policy.stages.count - 1) + hour)
    }

    package mutating func pin(_ text: String, also others: Int = 0) {
        let hashes = (0..<others).map { DeviceHash(value: UInt64($0)) }
        plan.pins = [
            PinGroup(
                bundle: bundle(text), expires: now + day,
                devices: hashes + [DeviceHash(of: device.id, model: RolloutWorld.model)])
        ]
    }

    package mutating func rollBack() {
        plan.state = .rolledBack
        plan.withdrawn = [
            Withdrawal(version: version("1.4.0"), sha256: bundle("1.4.0").sha256, at: now)
        ]
    }
}
