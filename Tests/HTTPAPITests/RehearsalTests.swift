import FleetSimulation
import Foundation
import HTTPAPI
import HTTPTypes
import Health
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import TestSupport
import Testing

/// Brake rehearsals: with every part of the registry a bad candidate is rolled back, and without any one it is not.
struct RehearsalTests {
    private static let path = "/v1/rollouts/commands-en/main"

    private static let demanding: JSON = {
        var fields = FleetScene.policy.object ?? [:]
        fields["rehearsal"] = true
        return .object(fields)
    }()

    /// A rollout that has been created, under a policy that asks for a rehearsal.
    private func scene() throws -> FleetScene {
        try FleetScene(TestAPI(), policy: Self.demanding, starts: false)
    }

    @Test func `a rollout that must be rehearsed starts after a rehearsal, and not before`()
        async throws
    {
        let scene = try scene()
        let api = scene.api
        let token = try api.token("operate")
        let refused = try await api.ask(
            .post, "\(Self.path)/start", token: token, json: .object([:]))
        #expect(refused.problem == "state-conflict")
        #expect(refused.text.contains("brake rehearsal"), "\(refused.text)")

        let answer = try await api.ask(.post, "\(Self.path)/rehearsal", token: token)
        #expect(answer.status == .ok, "\(answer.text)")
        let json = try answer.json
        #expect(json["braked"]?.bool == true, "\(answer.text)")
        #expect(json["exposed"]?.integer == 20)
        let after = try #require(json["after_s"]?.integer)
        #expect(after > 0 && after <= 3_600)
        #expect(json["evidence"]?.string?.isEmpty == false)
        #expect(json["rollout"]?["rehearsed"]?.bool == true)
        #expect(json["rollout"]?["state"]?.string == "created")

        let started = try await api.ask(
            .post, "\(Self.path)/start", token: token, json: .object([:]))
        #expect(try started.json["state"]?.string == "running", "\(started.text)")
        let late = try await api.ask(.post, "\(Self.path)/rehearsal", token: token)
        #expect(late.problem == "state-conflict")
    }

    @Test func `where the controller of the registry stands still there is no rehearsal`()
        async throws
    {
        let scene = try scene()
        let token = try scene.api.token("operate")
        scene.api.pulse.beat(at: scene.api.now + -151)
        let refused = try await scene.api.ask(
            .post, "\(Self.path)/rehearsal", token: token)
        #expect(refused.problem == "state-conflict")
        #expect(
            refused.text.contains("expected a tick within the last 150 s, got 151 s"),
            "\(refused.text)")
        scene.api.pulse.beat(at: scene.api.now + -150)
        #expect(
            try await scene.api.ask(.post, "\(Self.path)/rehearsal", token: token).status == .ok)
    }

    @Test func `nothing of a rehearsal stays but its outcome`() async throws {
        let scene = try scene()
        let api = scene.api
        let before = try Remains(api)
        let answer = try await api.ask(
            .post, "\(Self.path)/rehearsal", token: try api.token("operate"))
        #expect(try answer.json["braked"]?.bool == true)
        let after = try Remains(api)
        #expect(after.events.dropLast() == before.events + ["token.made"])
        #expect(after.events.last == "rollout.rehearsed")
        #expect(after.devices == before.devices)
        #expect(after.plans == before.plans)
        #expect(after.files == before.files)
    }

    /// What a rehearsal could leave behind.
    private struct Remains {
        let events: [String]
        let devices: Int
        let plans: Int64
        let files: Set<String>

        init(_ api: TestAPI) throws {
            events = try api.registry.events()
            (devices, plans) = try api.registry.store.read { (records) throws(RegistryError) in
                (
                    try records.devices(after: nil, limit: 10_000).count,
                    try records.live(.plans(api.registry.model))?.version.number ?? 0
                )
            }
            let paths = try FileManager.default.subpathsOfDirectory(atPath: api.folder.path)
            files = Set(paths)
        }
    }

    @Test func `a first release under the default policy is rehearsed without control`()
        async throws
    {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        try api.registry.release("1.0.0", replaces: [], policy: Self.first, at: api.now)
        _ = try api.registry.desk.create(
            RolloutRequest(
                model: api.registry.model, channel: .main,
                candidate: #require(SemanticVersion("1.0.0")),
                policy: #require(AttributeName("standard")), isInitial: true),
            by: api.registry.admin, at: api.now)
        let answer = try await api.ask(
            .post, "\(Self.path)/rehearsal", token: try api.token("operate"))
        #expect(try answer.json["braked"]?.bool == true, "\(answer.text)")
    }

    private static let first: JSON = ["hold_back": ["share": 0, "least_devices": 0, "cap": 0]]

    // MARK: With a part switched off

    enum Part: CaseIterable {
        case ingest
        case gate
        case controller
    }

    /// The ground with one part switched off.
    private final class Crippled: RehearsalGround {
        private let whole: InProcessRegistry
        private let off: Part?
        private let blind: Controller

        init(_ api: TestAPI, without off: Part?) throws {
            whole = try InProcessRegistry(
                store: api.registry.store.copy(),
                blobs: OverlayBlobs(over: api.registry.blobs), keys: TestRegistry.onlineKeys)
            self.off = off
            blind = Controller(
                store: whole.store, blobs: whole.blobs, keys: TestRegistry.onlineKeys
            ) { parameters, evidence in
                var unseen = evidence
                unseen.samples = []
                return HealthGate(parameters).judge(unseen)
            }
        }

        var store: any RegistryStoring { whole.store }
        var blobs: any BlobStoring { whole.blobs }
        var desk: RolloutDesk { whole.desk }

        func post(
            _ path: String, _ body: [UInt8], at now: UTCTime
        ) async throws -> (status: Int, body: [UInt8]) {
            guard off == .ingest, path == "/v1/reports" else {
                return try await whole.post(path, body, at: now)
            }
            return (503, [])
        }

        func tick(at now: UTCTime) async throws {
            switch off {
            case .controller: return
            case .gate: _ = try blind.tick(at: now)
            case .ingest, nil: try await whole.tick(at: now)
            }
        }

        func blocking<Value: Sendable>(
            _ work: @escaping @Sendable () throws -> Value
        ) async throws -> Value {
            try await whole.blocking(work)
        }
    }

    private func outcome(without part: Part?) async throws -> Rehearsal.Outcome {
        let scene = try scene()
        let ground = try Crippled(scene.api, without: part)
        return await Rehearsal(on: ground, scene.api.registry.model, .main)
            .run(at: scene.api.now, seed: 1)
    }

    @Test func `with all of its parts the registry brakes`() async throws {
        let outcome = try await outcome(without: nil)
        #expect(outcome.hasBraked, "\(outcome.evidence)")
    }

    @Test func `with ingest switched off the rehearsal fails`() async throws {
        let outcome = try await outcome(without: .ingest)
        #expect(!outcome.hasBraked)
        #expect(outcome.evidence == "POST /v1/reports: expected success, got 503")
    }

    @Test func `with the gate switched off the rehearsal fails`() async throws {
        let outcome = try await outcome(without: .gate)
        #expect(!outcome.hasBraked)
        #expect(outcome.evidence.contains("expected the candidate to be rolled back"))
    }

    @Test func `with the controller switched off the rehearsal fails`() async throws {
        let outcome = try await outcome(without: .controller)
        #expect(!outcome.hasBraked)
        #expect(outcome.evidence.contains("expected the candidate to be rolled back"))
    }

    @Test func `a sound candidate would not be rolled back`() async throws {
        let scene = try scene()
        let ground = try Crippled(scene.api, without: nil)
        let outcome = await Rehearsal(
            on: ground, scene.api.registry.model, .main, candidate: CandidateEffect()
        ).run(at: scene.api.now, seed: 1)
        #expect(!outcome.hasBraked, "\(outcome.evidence)")
        #expect(outcome.exposed == 20)
    }
}
