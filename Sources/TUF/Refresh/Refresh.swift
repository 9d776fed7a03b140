package import Primitives

/// The client workflow of TUF 1.0.34 section 5, over a fetcher and a store: what `Verifier` accepts is
/// stored at once, in the order root, timestamp, snapshot, targets, delegated roles.
///
/// A kill between any two writes leaves files that the next refresh can go on from: each file is
/// verified again when it is loaded, and one that does not fit is fetched.
package struct Refresh<Fetcher: MetadataFetching, Store: MetadataStoring> {
    package typealias Failure = RefreshError<Fetcher.Failure, Store.Failure>

    /// What a repository lists at one moment, and by whose word.
    package struct Listing {
        package let root: Trusted<Root>
        package let timestamp: Trusted<Timestamp>
        package let snapshot: Trusted<Snapshot>
        let verifier: Verifier
    }

    let fetcher: Fetcher
    let store: Store
    let verifier: Verifier
    let floor: TimeFloor?

    /// - Parameters:
    ///   - fetcher: the repository.
    ///   - store: what was trusted before; must hold a root.
    ///   - start: now. All expiry is judged at this moment (section 5.1), or at the floor where that is later.
    ///   - floor: a moment that has passed, as long as the newest root has the timestamp keys that said so.
    ///   - limits: how much of anything is taken.
    ///   - expiry: whether expired offline metadata is refused or reported.
    package init(
        fetcher: Fetcher, store: Store, start: UTCTime, floor: TimeFloor? = nil,
        limits: Limits = .standard, expiry: ExpiryPolicy = .strict
    ) {
        self.fetcher = fetcher
        self.store = store
        verifier = Verifier(start: start, limits: limits, expiry: expiry)
        self.floor = floor
    }

    /// Stores the root of trust that came with the device; the network is not asked.
    package func install(trustedRoot bytes: [UInt8]) throws(Failure) {
        _ = try judge { () throws(TUFError) in try verifier.initialRoot(bytes) }
        try save(bytes, .root)
    }

    /// Brings root, timestamp and snapshot up to date.
    package func listing() throws(Failure) -> Listing {
        let root = try newestRoot()
        let verifier = verifier.notBefore(floor, under: root)
        try judge { () throws(TUFError) in try verifier.checkExpiry(of: root) }
        let held = try heldUnder(root)
        let timestamp = try newestTimestamp(under: root, replacing: held.timestamp, by: verifier)
        let snapshot = try snapshot(
            under: root, named: timestamp, replacing: held.snapshot, by: verifier)
        return Listing(root: root, timestamp: timestamp, snapshot: snapshot, verifier: verifier)
    }

    /// Brings the four top-level roles up to date.
    package func run() throws(Failure) -> TrustedRepository {
        let found = try listing()
        let targets = try load(.targets, listedIn: found.snapshot, found.root) {
            bytes throws(TUFError) in
            try found.verifier.targets(bytes, under: found.root, listedIn: found.snapshot)
        }
        return TrustedRepository(
            root: found.root, timestamp: found.timestamp, snapshot: found.snapshot,
            targets: targets, verifier: found.verifier)
    }

    /// Follows the root chain, and judges targets by its end that no snapshot lists yet.
    ///
    /// What a device will make of staged metadata. The targets are not stored.
    package func rehearse(
        targets bytes: [UInt8]
    ) throws(Failure) -> (root: Trusted<Root>, targets: Trusted<Targets>) {
        let root = try newestRoot()
        try judge { () throws(TUFError) in try verifier.checkExpiry(of: root) }
        let targets = try judge { () throws(TUFError) in
            try verifier.unlistedTargets(bytes, under: root)
        }
        return (root, targets)
    }

    /// Brings the top-level roles up to date, and the delegated ones that a search for each path visits.
    package func run(following paths: [TargetPath]) throws(Failure) -> TrustedRepository {
        var repository = try run()
        for path in paths { _ = try target(at: path, in: &repository) }
        return repository
    }

    /// The target at a path, or nil where no role lists it; loads the delegated roles it needs.
    package func target(
        at path: TargetPath, in repository: inout TrustedRepository
    ) throws(Failure) -> TargetFile? {
        while true {
            switch repository.search(for: path) {
            case .found(let file): return file
            case .absent: return nil
            case .needs(let chain): try load(chain, into: &repository)
            }
        }
    }

    /// Loads a role that the top-level `targets` delegates to, whatever its paths.
    ///
    /// - Returns: its metadata, or nil where `targets` does not delegate to it.
    package func load(
        _ role: RoleName, into repository: inout TrustedRepository
    ) throws(Failure) -> Trusted<Targets>? {
        guard repository.targets.content.delegations?[role] != nil else { return nil }
        if repository[role] == nil { try load(.top.appending(role), into: &repository) }
        return repository[role]
    }

    private func load(
        _ chain: DelegationChain, into repository: inout TrustedRepository
    ) throws(Failure) {
        guard let above = chain.delegator, let delegator = repository.metadata(at: above) else {
            preconditionFailure("a search needs only roles whose delegators are loaded")
        }
        let snapshot = repository.snapshot
        let verifier = repository.verifier
        let metadata = try load(chain.role, listedIn: snapshot, repository.root) {
            bytes throws(TUFError) in
            try verifier.delegated(bytes, of: chain.role, under: delegator, listedIn: snapshot)
        }
        repository.insert(metadata, at: chain)
    }
}
