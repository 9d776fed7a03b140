import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct RepositoryLayoutTests {
    static let repository = RepositorySimulator(models: ["commands-en", "commands-de"]).repository

    @Test func `gives root a threshold of 2 of 3, and each online role its own key`() throws {
        let root = Self.repository.root
        let own = try #require(root.roles[.root])
        #expect(own.threshold == .two)
        #expect(own.keyIDs.count == 3)
        let others = [RoleName.targets, .snapshot, .timestamp].compactMap { root.roles[$0]?.keyIDs }
        #expect(Set(others).count == 3)
        #expect(root.keys.count == 6)
        #expect(root.consistentSnapshot)
    }

    @Test func `delegates each model to its two roles, by terminating delegations`() throws {
        let targets = try #require(Self.repository.roles[.targets])
        #expect(targets.targets.isEmpty)
        let delegations = try #require(targets.delegations)
        #expect(
            delegations.roles.map(\.name.description) == [
                "model.commands-en", "plans.commands-en", "model.commands-de", "plans.commands-de",
            ])
        #expect(delegations.roles.allSatisfy { $0.isTerminating })
        #expect(delegations[.releases]?.keys.threshold == .two)
        #expect(delegations[.plans]?.keys.threshold == .one)
    }

    @Test func `trusts each role with its own paths only`() throws {
        let delegations = try #require(Self.repository.roles[.targets]?.delegations)
        let releases = try #require(delegations[.releases])
        let plans = try #require(delegations[.plans])
        let model = try #require(ModelName("commands-en"))
        let other = try #require(ModelName("commands-de"))
        let number = try #require(SemanticVersion("1.2.3-rc.1"))
        let name = try #require(AttributeName("standard"))
        let own: [TargetPath] = [
            .manifest(of: model, number), .policy(of: model, number, name: name),
        ]
        let online: [TargetPath] = [.plan(of: model, .main), .packs(of: model, number)]
        #expect(
            (own + online).map(\.description) == [
                "bundles/commands-en/1.2.3-rc.1.json",
                "policies/commands-en/1.2.3-rc.1.standard.json",
                "rollouts/commands-en/main.json", "packs/commands-en/1.2.3-rc.1.json",
            ])
        for path in own { #expect(releases.covers(path) && !plans.covers(path)) }
        for path in online { #expect(plans.covers(path) && !releases.covers(path)) }
        #expect(!releases.covers(.manifest(of: other, number)))
        #expect(!plans.covers(.plan(of: other, .main)))
    }

    @Test func `names the targets that a role is not trusted with`() throws {
        let releases = try #require(Self.repository.roles[.targets]?.delegations?[.releases])
        let model = try #require(ModelName("commands-en"))
        let number = try #require(SemanticVersion("1.0.0"))
        var content = Targets(expires: .latest)
        for path in [TargetPath.manifest(of: model, number), .plan(of: model, .main)] {
            content.targets[path] = TargetDescription(of: [1])
        }
        #expect(content.targets(outside: releases) == [.plan(of: model, .main)])
    }

    @Test func `changes a model's keys in place`() throws {
        var targets = try #require(Self.repository.roles[.targets])
        let model = try #require(ModelName("commands-en"))
        let key = TestKeys.key("new").publicKey
        let before = targets.delegations?.roles.map(\.name)
        targets.delegate(
            to: .init(name: model, releases: KeyHolders([key]), plans: KeyHolders([key])))
        #expect(targets.delegations?.roles.map(\.name) == before)
        #expect(targets.delegations?.verifiers(of: .releases)?.publicKeys == [.ed25519(key)])
        #expect(targets.delegations?.keys.count == 4)
    }

    @Test func `makes the next snapshot and timestamp`() throws {
        let expires = UTCTime(clamping: 1_900_000_000)
        let snapshot = Self.repository.snapshot.next(
            listing: [
                .plans: MetaFile(listing: .plans, version: version(7), bytes: [1]),
                .targets: MetaFile(listing: .targets, version: version(3), bytes: [1, 2]),
            ], expires: expires)
        #expect(snapshot.version == version(2))
        #expect(snapshot.meta[.plans] == MetaFile(version: version(7)))
        #expect(snapshot.meta[.targets] == MetaFile(version: version(3), bytes: [1, 2]))
        #expect(snapshot.meta[.releases] == Self.repository.snapshot.meta[.releases])
        let file = MetaFile(version: version(2), bytes: [1, 2, 3])
        let timestamp = Self.repository.timestamp.next(
            naming: file, expires: expires, signedAt: UTCTime(clamping: 5))
        #expect(timestamp.version == version(2))
        #expect(timestamp.snapshot.length == 3)
        #expect(timestamp.signedAt == UTCTime(clamping: 5))
        #expect(timestamp.expires == expires)
    }
}
