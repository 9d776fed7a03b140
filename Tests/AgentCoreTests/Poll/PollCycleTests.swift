import AgentCore
import Cryptography
import Health
import Primitives
import Rollouts
import TUF
import TestSupport
import Testing

/// What a poll takes from a repository, and what it refuses.
@Suite struct PollCycleTests {
    private let start = UTCTime(clamping: 1_800_000_000)
    private let registry = MemoryRegistry(now: UTCTime(clamping: 1_800_000_000))
    private let cache = MemoryCache()

    private func store() -> MemoryMetadataStore {
        MemoryMetadataStore(files: [MetadataFileName(.root): registry.simulator.trustedRoot])
    }

    private func device() throws -> DeviceID {
        try #require(DeviceID(bytes: [UInt8](repeating: 7, count: 16)))
    }

    private func poll(
        _ store: MemoryMetadataStore, at now: UTCTime? = nil,
        concerned: [BundleReference] = []
    ) throws -> PollMaterial {
        let cycle = PollCycle(
            fetching: registry, store: store, cache: cache, stop: Interrupt())
        return try cycle.run(
            PollQuestion(
                model: MemoryRegistry.model, channel: .main, device: try device(),
                concerned: concerned, start: now ?? start))
    }

    @Test func `reads plan, policy, manifest and requirements of what the plan names`() throws {
        let old = try registry.publish("1.0.0", now: start)
        let new = try registry.publish("1.1.0", now: start)
        _ = try registry.publish("1.2.0", now: start)
        registry.plan(new, over: old, stages: [start])
        let material = try poll(store())
        #expect(material.readablePlan?.candidate == new)
        #expect(Set(material.listing.policies.map(\.policy.candidate)) == [old, new])
        #expect(material.listing.manifests.count == 3)
        #expect(Set(material.manifests.keys) == [old.sha256, new.sha256])
        #expect(Set(material.listing.requirements.keys) == [old.sha256, new.sha256])
        #expect(material.timestampSigned == start)
        #expect(material.problems.isEmpty)
    }

    @Test func `fetches a policy or manifest once, and what changed again`() throws {
        let old = try registry.publish("1.0.0", now: start)
        let new = try registry.publish("1.1.0", now: start)
        registry.plan(new, over: old, stages: [start])
        let store = store()
        _ = try poll(store)
        #expect(registry.requests.filter { $0.hasPrefix("targets/") }.count == 5)
        registry.forgetRequests()
        _ = try poll(store)
        #expect(registry.requests == ["tuf/2.root.json", "tuf/timestamp.json"])
        registry.forgetRequests()
        registry.plan(new, over: old, state: .paused, stages: [start])
        let material = try poll(store)
        #expect(material.readablePlan?.state == .paused)
        #expect(registry.requests.filter { $0.hasPrefix("targets/") }.count == 1)
        #expect(cache.count == 5, "the old plan is forgotten")
    }

    @Test func `a model without releases gives no plan`() throws {
        let material = try poll(store())
        #expect(material.plan == .none && material.listing == Listing())
    }

    @Test func `reads what concerns the device, without a plan that names it`() throws {
        let old = try registry.publish("1.0.0", now: start)
        let material = try poll(store(), concerned: [old])
        #expect(material.listing.policies.map(\.policy.candidate) == [old])
    }

    @Test func `refuses targets with other bytes, and leaves what is trusted as it was`() throws {
        let old = try registry.publish("1.0.0", now: start)
        registry.plan(old, over: nil, stages: [start])
        registry.tamper(with: .plan(of: MemoryRegistry.model, .main))
        let path = TargetPath.plan(of: MemoryRegistry.model, .main)
        let bytes = try #require(
            registry.simulator.repository.roles[.plans(MemoryRegistry.model)]?.targets[path])
        let digest = try #require(bytes.hashes.sha256)
        do {
            _ = try poll(store())
            Issue.record("expected a refusal")
        } catch let error as PollError {
            guard case .wrongTarget(let found, let expected, _) = error else {
                Issue.record("got \(error)")
                return
            }
            #expect(found == path && expected == digest && !error.isRetryable)
        }
        #expect(cache.cached(digest, limit: 1 << 20) == nil)
    }

    @Test func `refuses a target whose other digest, where one is listed, does not fit`() throws {
        let old = try registry.publish("1.0.0", now: start)
        registry.plan(old, over: nil, stages: [start])
        let path = TargetPath.plan(of: MemoryRegistry.model, .main)
        let role = RoleName.plans(MemoryRegistry.model)
        let listed = try #require(registry.simulator.repository.roles[role]?.targets[path])
        let digest = try #require(listed.hashes.sha256)
        registry.simulator.edit { repository in
            repository.roles[role]?.targets[path] = TargetDescription(
                length: listed.length, sha256: digest, sha512: SHA512.digest(of: []))
            repository.update(role)
        }
        do {
            _ = try poll(store())
            Issue.record("expected a refusal")
        } catch let error as PollError {
            guard case .wrongTarget(path, digest, digest) = error else {
                Issue.record("got \(error)")
                return
            }
        }
    }

    @Test func `expired offline metadata is used and named, online metadata is refused`() throws {
        let old = try registry.publish("1.0.0", now: start)
        registry.plan(old, over: nil, stages: [start])
        let store = store()
        _ = try poll(store)
        let late = start + 91 * SimulatedRepository.day
        registry.simulator.edit { repository in
            repository.timestamp.expires = late + SimulatedRepository.day
            repository.timestamp.signedAt = late
            repository.snapshot.expires = late + SimulatedRepository.day
            repository.roles[.plans(MemoryRegistry.model)]?.expires = late + SimulatedRepository.day
            repository.update(.plans(MemoryRegistry.model))
        }
        let material = try poll(store, at: late)
        #expect(material.expiredOfflineRoles == ["model.commands-en", "targets"])
        #expect(material.readablePlan != nil)
        do {
            _ = try poll(store, at: late + 2 * SimulatedRepository.day)
            Issue.record("expected a refusal")
        } catch let error as PollError {
            guard case .refused(.expired(.timestamp, _, _)) = error else {
                Issue.record("got \(error)")
                return
            }
        }
    }

    @Test func `a document that cannot be read is named, and the rest is used`() throws {
        let old = try registry.publish("1.0.0", now: start)
        registry.plan(old, over: nil, stages: [start])
        let path = try #require(TargetPath("policies/commands-en/1.0.0.broken.json"))
        registry.simulator.edit { repository in
            repository.add(Array("{}".utf8), at: path, to: .model(MemoryRegistry.model))
            repository.update(.model(MemoryRegistry.model))
        }
        let material = try poll(store())
        #expect(material.problems.count == 1)
        #expect(material.problems.first?.hasPrefix("\(path): ") == true)
        #expect(material.listing.policies.count == 1)
    }

    @Test func `reads approvals and lifts beside the policies`() throws {
        let old = try registry.publish("1.0.0", now: start)
        registry.plan(old, over: nil, stages: [start])
        let lift = Lift(
            model: MemoryRegistry.model, version: old.version, sha256: old.sha256, until: start)
        let approval = Approval(
            model: MemoryRegistry.model, policy: old.sha256, stage: MemoryRegistry.name)
        let folder = "policies/commands-en/1.0.0"
        registry.lift(old, until: start)
        let approvalPath = try #require(TargetPath("\(folder).default.stable.approval.json"))
        registry.simulator.edit { repository in
            repository.add(
                approval.json.canonicalBytes, at: approvalPath, to: .model(MemoryRegistry.model))
            repository.update(.model(MemoryRegistry.model))
        }
        let material = try poll(store())
        #expect(material.listing.lifts == [lift] && material.listing.approvals == [approval])
        #expect(material.problems.isEmpty)
    }

    @Test func `a network error is retryable and says so, a refusal is final`() {
        #expect(PollError.fetch(.unreachable("x")).isRetryable)
        #expect(PollError.fetch(.busy(status: 503, retryAfter: 9)).retryAfter == 9)
        #expect(!PollError.fetch(.refused(status: 403, code: nil)).isRetryable)
        #expect(!PollError.oldPlan(held: 2, offered: 1).isRetryable)
    }
}
