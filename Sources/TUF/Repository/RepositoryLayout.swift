package import Cryptography
package import Primitives

/// Keys and the number of them that must sign.
package struct KeyHolders: Sendable, Hashable {
    package let keys: [Ed25519PublicKey]
    package let threshold: Threshold

    package init(_ keys: [Ed25519PublicKey], threshold: Threshold = .one) {
        self.keys = keys
        self.threshold = threshold
    }

    var roleKeys: RoleKeys { RoleKeys(keyIDs: keys.map(\.keyID), threshold: threshold) }
}

/// The standard repository of Fieldfare (ADR 0001): who signs what, and nothing else.
///
/// `root` (2 of 3 by default) names the keys of the others; `targets` holds only terminating
/// delegations, two for each model: `model.<m>` to the release keys, `plans.<m>` to the registry.
package struct RepositoryLayout: Sendable, Hashable {
    package let root: KeyHolders
    package let targets: KeyHolders
    package let snapshot: KeyHolders
    package let timestamp: KeyHolders

    package init(
        root: KeyHolders, targets: KeyHolders, snapshot: KeyHolders, timestamp: KeyHolders
    ) {
        self.root = root
        self.targets = targets
        self.snapshot = snapshot
        self.timestamp = timestamp
    }

    /// A model and who signs for it.
    package struct Model: Sendable, Hashable {
        package let name: ModelName
        package let releases: KeyHolders
        package let plans: KeyHolders

        package init(name: ModelName, releases: KeyHolders, plans: KeyHolders) {
            self.name = name
            self.releases = releases
            self.plans = plans
        }
    }

    /// The first root.
    package func firstRoot(expires: UTCTime) -> Root {
        let holders: [(RoleName, KeyHolders)] = [
            (.root, root), (.targets, targets), (.snapshot, snapshot), (.timestamp, timestamp),
        ]
        let keys = holders.flatMap(\.1.keys).map { ($0.keyID, Key($0)) }
        return Root(
            expires: expires, keys: Dictionary(keys) { first, _ in first },
            roles: Dictionary(uniqueKeysWithValues: holders.map { ($0.0, $0.1.roleKeys) }))
    }

    /// The first top-level targets, which delegates to the models and lists no target.
    package static func firstTargets(models: [Model], expires: UTCTime) -> Targets {
        var targets = Targets(expires: expires, delegations: Delegations(), of: .targets)
        for model in models { targets.delegate(to: model) }
        return targets
    }
}

extension Targets {
    /// Adds the two delegations of a model, or puts them in the place of those it has.
    package mutating func delegate(to model: RepositoryLayout.Model) {
        var delegations = self.delegations ?? Delegations()
        let name = model.name
        let entries = [
            (RoleName.model(name), model.releases, ["bundles/\(name)/*", "policies/\(name)/*"]),
            (RoleName.plans(name), model.plans, ["rollouts/\(name)/*", "packs/\(name)/*"]),
        ]
        for (role, holders, patterns) in entries {
            let delegation = DelegatedRole(
                name: role, keys: holders.roleKeys,
                paths: .patterns(patterns.compactMap(PathPattern.init)), isTerminating: true)
            delegations.set(delegation, keys: holders.keys)
        }
        self.delegations = delegations
    }
}

extension Snapshot {
    /// The next snapshot, which lists new versions of some roles.
    package func next(listing updates: [RoleName: MetaFile], expires: UTCTime) -> Snapshot {
        var next = self.next(expires: expires)
        next.meta.merge(updates) { _, new in new }
        return next
    }
}

extension MetaFile {
    /// What our snapshot says of a role's file: of `targets` its digest too, because who has stolen only the targets key
    /// must not put other delegations under the version that is listed (ADR 0001).
    package init(listing role: RoleName, version: MetadataVersion, bytes: [UInt8]) {
        if role == .targets {
            self.init(version: version, bytes: bytes)
        } else {
            self.init(version: version)
        }
    }
}

extension Timestamp {
    /// The next timestamp, which names a snapshot by version, length and digest.
    package func next(
        naming snapshot: MetaFile, expires: UTCTime, signedAt: UTCTime
    ) -> Timestamp {
        var next = self.next(expires: expires)
        next.snapshot = snapshot
        next.signedAt = signedAt
        return next
    }
}
