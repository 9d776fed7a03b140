import Primitives
import TUF
import TestSupport
import Testing

/// A device's way through staged metadata, before any snapshot lists it.
struct RehearsalTests {
    @Test func `follows the roots, and judges targets by the newest`() throws {
        let simulator = RepositorySimulator()
        let device = try Device(simulator)
        let bytes = try #require(
            simulator.repository.files[MetadataFileName(.targets, version: .first)])
        let (root, targets) = try device.refresh(at: simulator.repository.now)
            .rehearse(targets: bytes)
        #expect(root.version == .first)
        #expect(targets.version == .first)
        #expect(
            device.store.files.keys.map(\.description) == ["root.json"],
            "targets that nothing lists are not stored")
    }

    @Test func `refuses targets without their signatures, and expired ones`() throws {
        let simulator = RepositorySimulator()
        let device = try Device(simulator)
        let bytes = try #require(
            simulator.repository.files[MetadataFileName(.targets, version: .first)])
        let content = try #require(simulator.repository.roles[.targets])
        let unsigned = Draft(content, of: .targets).bytes
        #expect(
            throws: Device.Failure.refused(
                .tooFewSignatures(.targets, delegator: .root, threshold: 1, valid: 0))
        ) {
            try device.refresh(at: simulator.repository.now).rehearse(targets: unsigned)
        }
        #expect(
            throws: Device.Failure.refused(
                .expired(.targets, at: content.expires, start: content.expires))
        ) {
            try device.refresh(at: content.expires).rehearse(targets: bytes)
        }
    }
}
