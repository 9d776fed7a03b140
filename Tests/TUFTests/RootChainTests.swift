import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct RootChainTests {
    @Test func `follows the chain one version at a time`() throws {
        let device = try Device()
        device.simulator.edit {
            for _ in 0..<3 { $0.updateRoot() }
        }
        let repository = try device.run()
        #expect(repository.root.version == version(4))
        #expect(
            device.simulator.requests.prefix(5) == [
                "2.root.json", "3.root.json", "4.root.json", "5.root.json", "timestamp.json",
            ])
    }

    @Test func `rotates all root keys when the old and the new ones have signed`() throws {
        let device = try Device()
        device.simulator.edit { repository in
            let new = TestKeys.keys("root, new", count: 3)
            let old = repository.signers[.root] ?? []
            repository.signers[.root] = [old[0], old[2], new[1], new[2]]
            repository.updateRoot {
                $0.setKeys(of: .root, to: new.map(\.publicKey), threshold: .two)
            }
            repository.signers[.root] = new
            repository.updateRoot()
        }
        #expect(try device.run().root.version == version(3))
    }

    @Test func `refuses a root that only the new keys have signed`() throws {
        let device = try Device()
        device.simulator.edit { repository in
            let new = TestKeys.keys("root, new", count: 3)
            repository.signers[.root] = new
            repository.updateRoot {
                $0.setKeys(of: .root, to: new.map(\.publicKey), threshold: .two)
            }
        }
        device.expectRefusal(
            .tooFewSignatures(.root, delegator: .root, threshold: 2, valid: 0),
            requests: ["2.root.json"])
    }

    @Test func `refuses a root that only the old keys have signed`() throws {
        let device = try Device()
        device.simulator.edit { repository in
            let new = TestKeys.keys("root, new", count: 3).map(\.publicKey)
            repository.updateRoot { $0.setKeys(of: .root, to: new, threshold: .two) }
        }
        device.expectRefusal(
            .tooFewSignatures(.root, delegator: .root, threshold: 2, valid: 0),
            requests: ["2.root.json"])
    }

    @Test func `refuses a root that one of two keys has signed`() throws {
        let device = try Device()
        device.simulator.edit { repository in
            repository.signers[.root] = [TestKeys.key("root-1")]
            repository.updateRoot()
        }
        device.expectRefusal(
            .tooFewSignatures(.root, delegator: .root, threshold: 2, valid: 1),
            requests: ["2.root.json"])
    }

    @Test(arguments: [1, 3] as [Int64])
    func `refuses a root of another version than the next`(number: Int64) throws {
        let device = try Device()
        device.simulator.edit {
            $0.root.version = version(number)
            $0.publishRoot()
            $0.files[MetadataFileName(.root, version: version(2))] =
                $0.files[MetadataFileName(.root, version: version(number))]
        }
        device.expectRefusal(
            .wrongVersion(.root, expected: version(2), found: version(number)),
            requests: ["2.root.json"])
    }

    @Test func `keeps the roots before a bad one`() throws {
        let device = try Device()
        device.simulator.edit {
            $0.updateRoot()
            $0.signers[.root] = []
            $0.updateRoot()
        }
        device.expectRefusal(
            .tooFewSignatures(.root, delegator: .root, threshold: 2, valid: 0),
            requests: ["2.root.json", "3.root.json"], storing: [.root])
        let good = device.simulator.repository.files[MetadataFileName(.root, version: version(2))]
        #expect(device.store[.root] == good)
    }

    @Test func `refuses an expired root, but keeps it, as section 5_3_10 says`() throws {
        let device = try Device()
        let now = device.simulator.repository.now
        device.simulator.edit { $0.updateRoot { $0.expires = now } }
        device.expectRefusal(
            .expired(.root, at: now, start: now), requests: ["2.root.json", "3.root.json"],
            storing: [.root])
    }

    @Test func `passes through an expired root to a good one`() throws {
        let device = try Device()
        let now = device.simulator.repository.now
        device.simulator.edit {
            $0.updateRoot { $0.expires = now + -1 }
            $0.updateRoot { $0.expires = now + 1 }
        }
        #expect(try device.run().root.version == version(3))
    }

    @Test func `follows as many roots as the limit says, and no more`() throws {
        var device = try Device()
        device.simulator.edit {
            for _ in 0..<4 { $0.updateRoot() }
        }
        device.limits.rootRotations = 3
        device.simulator.forgetRequests()
        #expect(try device.run().root.version == version(4))
        #expect(
            device.simulator.requests.prefix(4)
                == ["2.root.json", "3.root.json", "4.root.json", "timestamp.json"])
        #expect(try device.run().root.version == version(5))
    }

    @Test func `refuses a root over its limit`() throws {
        var device = try Device()
        device.simulator.edit { $0.updateRoot() }
        device.limits.root = device.simulator.trustedRoot.count - 1
        device.expectRefusal(.noTrustedRoot, requests: [])
    }

    @Test func `reads no more of a new root than any may have`() throws {
        let device = try Device()
        let name = MetadataFileName(.root, version: version(2))
        device.simulator.edit { $0.files[name] = [UInt8](repeating: 0x20, count: 512_001) }
        device.expectFailure(
            .fetching(.tooLong(name, limit: 512_000)), requests: ["2.root.json"])
    }
}
