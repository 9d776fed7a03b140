import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct DifferenceTests {
    static let old = Targets(
        expires: UTCTime(clamping: 100),
        targets: ["a", "b", "c"].reduce(into: [:]) { targets, name in
            TargetPath(name).map { targets[$0] = TargetDescription(of: Array(name.utf8)) }
        }, delegations: Delegations())

    @Test func `lists what was added, removed and changed`() throws {
        var new = Self.old.next(expires: UTCTime(clamping: 200))
        let a = try #require(TargetPath("a"))
        let b = try #require(TargetPath("b"))
        let d = try #require(TargetPath("d"))
        new.targets[a] = nil
        new.targets[b] = TargetDescription(of: [9])
        new.targets[d] = TargetDescription(of: [1])
        let difference = TargetsDifference(from: Self.old, to: new)
        #expect(difference.targets.map(\.name) == [a, b, d])
        #expect(difference.targets.map(\.isAddition) == [false, false, true])
        #expect(difference.targets.map(\.isRemoval) == [true, false, false])
        #expect(difference.targets[1].old == TargetDescription(of: Array("b".utf8)))
        #expect(difference.targets[1].new == TargetDescription(of: [9]))
    }

    @Test func `knows a version that only adds`() throws {
        var new = Self.old.next(expires: UTCTime(clamping: 200))
        new.targets[try #require(TargetPath("d"))] = TargetDescription(of: [1])
        #expect(TargetsDifference(from: Self.old, to: new).targets.map(\.isAddition) == [true])
        #expect(TargetsDifference(from: nil, to: new).targets.count == 4)
    }

    @Test func `shows delegations that come, go, change or change places`() throws {
        func role(
            _ name: String, _ key: String, isTerminating: Bool = true
        ) throws -> (
            DelegatedRole, Ed25519PublicKey
        ) {
            let key = TestKeys.key(key).publicKey
            let role = DelegatedRole(
                name: try #require(RoleName(name)),
                keys: RoleKeys(keyIDs: [key.keyID], threshold: .one), paths: .patterns([]),
                isTerminating: isTerminating)
            return (role, key)
        }
        var old = Delegations()
        var new = Delegations()
        for (role, key) in try [role("A", "a"), role("B", "b"), role("C", "c")] {
            old.set(role, keys: [key])
        }
        for (role, key) in try [role("C", "c"), role("B", "b2"), role("D", "d")] {
            new.set(role, keys: [key])
        }
        let expires = UTCTime(clamping: 100)
        let difference = TargetsDifference(
            from: Targets(expires: expires, delegations: old),
            to: Targets(expires: expires, delegations: new))
        #expect(difference.roles.map(\.name.description) == ["A", "B", "D"])
        #expect(difference.roles.map(\.isRemoval) == [true, false, false])
        #expect(difference.keys.count == 4)
        #expect(difference.isReordered)
        #expect(old.roles.map(\.name.description) == ["A", "B", "C"])
        let (changed, key) = try role("B", "b2")
        old.set(changed, keys: [key])
        #expect(old.roles.map(\.name.description) == ["A", "B", "C"])
        #expect(old.keys.count == 3)
        #expect(old.keys[key.keyID] != nil)
    }
}
