package import Primitives

/// The verification steps of TUF 1.0.34 section 5, each a pure function of bytes, trusted metadata and
/// the moment when the refresh began.
///
/// Each returns what is in force now, or throws, and then nothing has changed. Fetching and storing
/// are `Refresh`'s; nothing here reads a clock.
package struct Verifier: Sendable {
    package let start: UTCTime
    package let limits: Limits
    package let expiry: ExpiryPolicy

    package init(start: UTCTime, limits: Limits = .standard, expiry: ExpiryPolicy = .strict) {
        self.start = start
        self.limits = limits
        self.expiry = expiry
    }

    /// The same at the floor's moment, where that is later and the root's timestamp keys are those that said so.
    ///
    /// Under other keys the floor is void: it may be a thief's, who signed the year 2099.
    func notBefore(_ floor: TimeFloor?, under root: Trusted<Root>) -> Verifier {
        guard let floor, floor.moment > start,
            root.content.verifiers(of: .timestamp).fingerprint == floor.keys
        else { return self }
        return Verifier(start: floor.moment, limits: limits, expiry: expiry)
    }

    // MARK: Root, section 5.3

    /// The root of trust that came with the device, or was stored: signed by its own keys, expired or not.
    package func initialRoot(_ bytes: [UInt8]) throws(TUFError) -> Trusted<Root> {
        let file = try Unverified<Root>(parsing: bytes, as: .root, limit: limits.root)
        return try file.verified(by: file.content.verifiers(of: .root), from: .root)
    }

    /// The root after `held`, expired or not: an intermediate one may be.
    package func root(_ bytes: [UInt8], after held: Trusted<Root>) throws(TUFError) -> Trusted<Root>
    {
        let file = try Unverified<Root>(parsing: bytes, as: .root, limit: limits.root)
        _ = try file.verified(by: held.content.verifiers(of: .root), from: .root)  // step 4
        let root = try file.verified(by: file.content.verifiers(of: .root), from: .root)
        guard root.version == held.version.next else {  // step 5
            throw .wrongVersion(.root, expected: held.version.next, found: root.version)
        }
        return root
    }

    /// Refuses an expired root at the end of the chain (step 10).
    package func checkExpiry(of root: Trusted<Root>) throws(TUFError) {
        if !expiry.tolerates(.root) { try checkExpiry(root.content, .root) }
    }

    // MARK: Timestamp, section 5.4

    /// The stored timestamp, expired or not: an expired one still forbids a rollback.
    package func heldTimestamp(
        _ bytes: [UInt8], under root: Trusted<Root>
    ) throws(TUFError) -> Trusted<Timestamp> {
        try Unverified<Timestamp>(parsing: bytes, as: .timestamp, limit: limits.timestamp)
            .verified(by: root.content.verifiers(of: .timestamp), from: .root)
    }

    /// Judges a downloaded timestamp.
    ///
    /// - Returns: the timestamp now in force: the offered one, or `held` if the version is the same.
    package func timestamp(
        _ bytes: [UInt8], under root: Trusted<Root>, replacing held: Trusted<Timestamp>?
    ) throws(TUFError) -> Trusted<Timestamp> {
        let new = try heldTimestamp(bytes, under: root)  // step 2
        var current = new
        if let held {
            try refuseRollback(.timestamp, held: held.version, offered: new.version)  // step 3.1
            try refuseRollback(  // step 3.2
                .snapshot, held: held.content.snapshot.version,
                offered: new.content.snapshot.version)
            if held.version == new.version { current = held }
        }
        try checkExpiry(current.content, .timestamp)  // step 4, for a replayed file too
        return current
    }

    // MARK: Snapshot, section 5.5

    /// The stored snapshot, for its list of versions: expired, and listed today, or not.
    package func heldSnapshot(
        _ bytes: [UInt8], under root: Trusted<Root>
    ) throws(TUFError) -> Trusted<Snapshot> {
        try Unverified<Snapshot>(parsing: bytes, as: .snapshot, limit: limits.snapshot)
            .verified(by: root.content.verifiers(of: .snapshot), from: .root)
    }

    /// Judges a snapshot, downloaded or stored, by what the timestamp says of it.
    package func snapshot(
        _ bytes: [UInt8], under root: Trusted<Root>, named timestamp: Trusted<Timestamp>,
        replacing held: Trusted<Snapshot>?
    ) throws(TUFError) -> Trusted<Snapshot> {
        let meta = timestamp.content.snapshot
        try meta.check(bytes, of: .snapshot)  // step 2
        let new = try heldSnapshot(bytes, under: root)  // step 3
        try refuseOther(.snapshot, listed: meta.version, found: new.version)  // step 4
        for (role, listed) in held?.content.meta ?? [:] {  // step 5
            guard let offered = new.content.meta[role] else {
                throw .roleDropped(role, by: new.version)
            }
            try refuseRollback(role, held: listed.version, offered: offered.version)
        }
        try checkExpiry(new.content, .snapshot)  // step 6
        return new
    }

    // MARK: Targets and delegated roles, section 5.6

    /// Judges the top-level targets file, downloaded or stored.
    package func targets(
        _ bytes: [UInt8], under root: Trusted<Root>, listedIn snapshot: Trusted<Snapshot>
    ) throws(TUFError) -> Trusted<Targets> {
        try targets(
            bytes, of: .targets, by: root.content.verifiers(of: .targets), from: .root,
            listedIn: snapshot)
    }

    /// Judges top-level targets by their signatures and expiry alone, before a snapshot lists them.
    func unlistedTargets(
        _ bytes: [UInt8], under root: Trusted<Root>
    ) throws(TUFError) -> Trusted<Targets> {
        let targets = try Unverified<Targets>(parsing: bytes, as: .targets, limit: limits.targets)
            .verified(by: root.content.verifiers(of: .targets), from: .root)
        try refuseOther(targets)
        try checkExpiry(targets.content, .targets)
        return targets
    }

    /// Judges a delegated role's file, downloaded or stored, by the delegator through which it was reached.
    ///
    /// - Precondition: `delegator` delegates to `role`.
    package func delegated(
        _ bytes: [UInt8], of role: RoleName, under delegator: Trusted<Targets>,
        listedIn snapshot: Trusted<Snapshot>
    ) throws(TUFError) -> Trusted<Targets> {
        guard let verifiers = delegator.content.delegations?.verifiers(of: role) else {
            preconditionFailure("\(delegator.role) does not delegate to \(role)")
        }
        return try targets(
            bytes, of: role, by: verifiers, from: delegator.role, listedIn: snapshot)
    }

    private func targets(
        _ bytes: [UInt8], of role: RoleName, by verifiers: Verifiers, from delegator: RoleName,
        listedIn snapshot: Trusted<Snapshot>
    ) throws(TUFError) -> Trusted<Targets> {
        guard let meta = snapshot.content.meta[role] else { throw .roleNotListed(role) }
        try meta.check(bytes, of: role)  // step 2
        let new = try Unverified<Targets>(parsing: bytes, as: role, limit: limits.targets)
            .verified(by: verifiers, from: delegator)  // step 3
        try refuseOther(new)
        try refuseOther(role, listed: meta.version, found: new.version)  // step 4
        if !expiry.tolerates(role) { try checkExpiry(new.content, role) }  // step 5
        return new
    }

    // MARK: Checks

    private func checkExpiry(_ metadata: some RoleMetadata, _ role: RoleName) throws(TUFError) {
        guard start < metadata.expires else {
            throw .expired(role, at: metadata.expires, start: start)
        }
    }

    private func refuseRollback(
        _ role: RoleName, held: MetadataVersion, offered: MetadataVersion
    ) throws(TUFError) {
        guard offered >= held else { throw .rollback(role, held: held, offered: offered) }
    }

    /// Beyond the specification, which names no role in a file: one that names another is not this role's.
    private func refuseOther(_ metadata: Trusted<Targets>) throws(TUFError) {
        guard let found = metadata.content.role, found != metadata.role else { return }
        throw .otherRole(metadata.role, found: found)
    }

    private func refuseOther(
        _ role: RoleName, listed: MetadataVersion, found: MetadataVersion
    ) throws(TUFError) {
        guard found == listed else { throw .wrongVersion(role, expected: listed, found: found) }
    }
}
