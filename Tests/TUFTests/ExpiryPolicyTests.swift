import Primitives
import TUF
import TestSupport
import Testing

struct ExpiryPolicyTests {
    static let paths = ["bundles/commands-en/1.0.0.json", "rollouts/commands-en/main.json"]

    /// A device that reports expired offline metadata, long after people have last signed anything,
    /// while the registry goes on signing.
    static func abandoned() throws -> (device: Device, now: UTCTime) {
        let simulator = RepositorySimulator()
        let now = simulator.repository.now + 100 * SimulatedRepository.day
        simulator.edit {
            $0.now = now
            $0.snapshot.expires = now + SimulatedRepository.day
            $0.timestamp.expires = now + SimulatedRepository.day
            $0.update(.plans) { $0.expires = now + SimulatedRepository.day }
        }
        var device = try Device(simulator)
        device.expiry = .reportOffline
        return (device, now)
    }

    @Test func `reports expired offline metadata and still shows a newer plan`() throws {
        let (device, now) = try Self.abandoned()
        let repository = try device.run(at: now, following: Self.paths)
        #expect(repository.expired == [.releases, .targets])
        #expect(repository[.plans]?.version == version(2))
    }

    @Test func `refuses the same repository in the strict workflow`() throws {
        var (device, now) = try Self.abandoned()
        device.expiry = .strict
        let end = try #require(device.simulator.repository.roles[.targets]).expires
        device.expectRefusal(
            .expired(.targets, at: end, start: now), at: now, following: Self.paths,
            requests: ["2.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json"],
            storing: [.timestamp, .snapshot])
    }

    @Test func `reports nothing while all is good`() throws {
        var device = try Device()
        device.expiry = .reportOffline
        #expect(try device.run(following: Self.paths).expired == [])
    }

    @Test func `does not tolerate an expired plan, snapshot, timestamp or root`() throws {
        for role in [RoleName.plans, .snapshot, .timestamp, .root] {
            let (device, now) = try Self.abandoned()
            device.simulator.edit {
                switch role {
                case .plans: $0.update(.plans) { $0.expires = now }
                case .snapshot:
                    $0.snapshot.expires = now
                    $0.updateSnapshot()
                case .timestamp:
                    $0.timestamp.expires = now
                    $0.updateTimestamp()
                default: $0.updateRoot { $0.expires = now }
                }
            }
            let error = #expect(throws: Device.Failure.self) {
                try device.run(at: now, following: Self.paths)
            }
            #expect(error == .refused(.expired(role, at: now, start: now)))
        }
    }

    @Test func `does not tolerate any other delegated role`() throws {
        let (device, now) = try Self.abandoned()
        let role = try #require(RoleName("modelling"))
        let pattern = try #require(PathPattern("other/*"))
        device.simulator.edit {
            $0.now = now + -90 * SimulatedRepository.day
            $0.delegate(
                from: .targets, to: role, paths: .patterns([pattern]), key: TestKeys.key("other"))
        }
        let error = #expect(throws: Device.Failure.self) {
            try device.run(at: now, following: ["other/x"])
        }
        #expect(error == .refused(.expired(role, at: now, start: now)))
    }

    @Test func `shows an expired root, too, to who signs the next one, and nothing online`() throws
    {
        var (device, now) = try Self.abandoned()
        device.expiry = .forSigners
        device.simulator.edit { $0.updateRoot { $0.expires = now } }
        let repository = try device.run(at: now, following: Self.paths)
        #expect(repository.root.version == version(2))
        device.simulator.edit {
            $0.timestamp.expires = now
            $0.updateTimestamp()
        }
        let error = #expect(throws: Device.Failure.self) { try device.run(at: now) }
        #expect(error == .refused(.expired(.timestamp, at: now, start: now)))
    }
}
