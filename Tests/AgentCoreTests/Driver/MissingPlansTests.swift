import AgentCore
import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

/// A model that the repository does not know: polls go on, and the log says so once.
struct MissingPlansTests {
    private static let start = UTCTime(clamping: 1_800_000_000)
    private static let notDelegated =
        "<4>role plans.commands-de: expected the repository to delegate it, got none of that name yet; "
        + "hint: see whether 'model' is right"
    private static let notPublished =
        "<4>role plans.commands-de: expected the repository to have its metadata, got none yet"
    private static let there = "<5>role plans.commands-de is there now"

    private let registry = MemoryRegistry(now: start)

    private func device() throws -> TestDevice {
        try TestDevice(
            registry, at: Self.start, model: try #require(ModelName("commands-de")))
    }

    private func lines(_ device: TestDevice) -> [String] {
        device.log.filter { $0.contains("plans.commands-de") }
    }

    private var polls: Int { registry.requests.filter { $0 == "tuf/timestamp.json" }.count }

    @Test func `says once that the role is missing, not at each poll, and that it came`() throws {
        let device = try device()
        device.pass(600)
        #expect(polls > 5)
        #expect(lines(device) == [Self.notDelegated])
        let role = RoleName.plans(try #require(ModelName("commands-de")))
        #expect(device.driver.material?.missing == .notDelegated(role))

        let key = TestKeys.key("plans.commands-de")
        registry.simulator.edit { repository in
            repository.signers[role] = [key]
            repository.roles[role] = Targets(expires: Self.start + 7 * SimulatedRepository.day)
            repository.update(.targets) { targets in
                targets.delegations?.set(
                    DelegatedRole(
                        name: role,
                        keys: RoleKeys(keyIDs: [key.publicKey.keyID], threshold: .one),
                        paths: .patterns([]), isTerminating: true),
                    keys: [key.publicKey])
            }
        }
        device.pass(600)
        #expect(lines(device) == [Self.notDelegated, Self.notPublished])
        #expect(device.driver.material?.missing == .notPublished(role))

        registry.simulator.edit { repository in
            repository.publish(role)
            repository.updateSnapshot()
        }
        device.pass(600)
        #expect(lines(device) == [Self.notDelegated, Self.notPublished, Self.there])
        #expect(device.driver.material?.missing == nil)
    }

    @Test func `says nothing of a role that is there from the start`() throws {
        let device = try TestDevice(registry, at: Self.start)
        device.pass(600)
        #expect(polls > 5)
        #expect(device.log.allSatisfy { !$0.contains("role plans.") })
    }
}
