import Primitives

extension Refresh {
    /// Follows the root chain, one version at a time, and stores each root it trusts (section 5.3, steps 1 to 9).
    ///
    /// After as many as `Limits.rootRotations` says it goes on with the root it has reached (step 3).
    package func newestRoot() throws(Failure) -> Trusted<Root> {
        guard let bytes = try stored(.root) else { throw .refused(.noTrustedRoot) }
        var root = try judge { () throws(TUFError) in try verifier.initialRoot(bytes) }
        for _ in 0..<verifier.limits.rootRotations {
            let held = root
            let name = MetadataFileName(.root, version: held.version.next)
            guard let bytes = try fetch(name, limit: verifier.limits.root) else { break }
            root = try judge { () throws(TUFError) in try verifier.root(bytes, after: held) }
            try save(bytes, .root)  // step 8
        }
        return root
    }

    /// The stored timestamp and snapshot, if the keys of today have signed both that are there.
    ///
    /// Otherwise both are removed (section 5.3 step 11): that is how a fleet recovers from a thief who
    /// signed the highest versions. Asking the stored files, and not the root chain of this refresh,
    /// makes that hold after a kill between the new root and the removal.
    func heldUnder(
        _ root: Trusted<Root>
    ) throws(Failure) -> (timestamp: Trusted<Timestamp>?, snapshot: Trusted<Snapshot>?) {
        do {
            let timestamp = try stored(.timestamp).map { bytes throws(Failure) in
                try judge { () throws(TUFError) in try verifier.heldTimestamp(bytes, under: root) }
            }
            let snapshot = try stored(.snapshot).map { bytes throws(Failure) in
                try judge { () throws(TUFError) in try verifier.heldSnapshot(bytes, under: root) }
            }
            return (timestamp, snapshot)
        } catch .refused {
            try remove(.snapshot)
            try remove(.timestamp)
            return (nil, nil)
        }
    }

    func newestTimestamp(
        under root: Trusted<Root>, replacing held: Trusted<Timestamp>?, by verifier: Verifier
    ) throws(Failure) -> Trusted<Timestamp> {
        let name = MetadataFileName(.timestamp)
        let bytes = try fetchPresent(.timestamp, name, limit: verifier.limits.timestamp)
        let timestamp = try judge { () throws(TUFError) in
            try verifier.timestamp(bytes, under: root, replacing: held)
        }
        if timestamp.bytes != held?.bytes { try save(timestamp.bytes, .timestamp) }
        return timestamp
    }

    func snapshot(
        under root: Trusted<Root>, named timestamp: Trusted<Timestamp>,
        replacing held: Trusted<Snapshot>?, by verifier: Verifier
    ) throws(Failure) -> Trusted<Snapshot> {
        let meta = timestamp.content.snapshot
        return try load(.snapshot, meta, root, held: held?.bytes) { bytes throws(TUFError) in
            try verifier.snapshot(bytes, under: root, named: timestamp, replacing: held)
        }
    }

    /// A targets role, from the store if what is there is what the snapshot lists, else fetched.
    func load(
        _ role: RoleName, listedIn snapshot: Trusted<Snapshot>, _ root: Trusted<Root>,
        check: (_ bytes: [UInt8]) throws(TUFError) -> Trusted<Targets>
    ) throws(Failure) -> Trusted<Targets> {
        guard let meta = snapshot.content.meta[role] else { throw .refused(.roleNotListed(role)) }
        return try load(role, meta, root, held: stored(role), check: check)
    }

    /// Takes the stored file if it passes every check, and fetches and stores it otherwise.
    ///
    /// A stored file that is only expired is not fetched again: the same version would come.
    private func load<Content>(
        _ role: RoleName, _ meta: MetaFile, _ root: Trusted<Root>, held: [UInt8]?,
        check: (_ bytes: [UInt8]) throws(TUFError) -> Trusted<Content>
    ) throws(Failure) -> Trusted<Content> {
        if let held {
            do {
                return try check(held)
            } catch .expired(let role, let moment, let start) {
                throw .refused(.expired(role, at: moment, start: start))
            } catch {
                // What is stored is old or not ours: the repository has the listed one.
            }
        }
        let isConsistent = root.content.consistentSnapshot
        let name =
            isConsistent ? MetadataFileName(role, version: meta.version) : MetadataFileName(role)
        let limit = meta.length ?? verifier.limits.bytes(of: role)
        let bytes = try fetchPresent(role, name, limit: min(limit, verifier.limits.bytes(of: role)))
        let metadata = try judge { () throws(TUFError) in try check(bytes) }
        try save(bytes, role)
        return metadata
    }

    // MARK: Ports

    private func fetchPresent(
        _ role: RoleName, _ name: MetadataFileName, limit: Int
    ) throws(Failure) -> [UInt8] {
        guard let bytes = try fetch(name, limit: limit) else {
            throw .refused(.absent(role, name))
        }
        return bytes
    }

    private func fetch(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]? {
        do { return try fetcher.fetch(name, limit: limit) } catch { throw .fetching(error) }
    }

    private func stored(_ role: RoleName) throws(Failure) -> [UInt8]? {
        let limit = verifier.limits.bytes(of: role)
        do { return try store.load(MetadataFileName(role), limit: limit) } catch {
            throw .storing(error)
        }
    }

    func save(_ bytes: [UInt8], _ role: RoleName) throws(Failure) {
        do { try store.store(bytes, as: MetadataFileName(role)) } catch { throw .storing(error) }
    }

    private func remove(_ role: RoleName) throws(Failure) {
        do { try store.remove(MetadataFileName(role)) } catch { throw .storing(error) }
    }

    func judge<Value>(_ step: () throws(TUFError) -> Value) throws(Failure) -> Value {
        do { return try step() } catch { throw .refused(error) }
    }
}
