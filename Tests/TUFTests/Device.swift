import Primitives
import TUF
import TestSupport
import Testing

/// A device's side of a simulated repository: its store, and its refreshes.
struct Device {
    typealias Failure = RefreshError<RepositorySimulator.Failure, MemoryMetadataStore.Failure>

    let simulator: RepositorySimulator
    let store: MemoryMetadataStore
    var limits = Limits.standard
    var expiry = ExpiryPolicy.strict
    var floor: TimeFloor?

    /// A device that trusts the simulator's first root, and has never refreshed.
    init(_ simulator: RepositorySimulator = RepositorySimulator()) throws {
        self.simulator = simulator
        store = MemoryMetadataStore()
        try refresh(at: simulator.repository.now).install(trustedRoot: simulator.trustedRoot)
    }

    /// A device with a store of its own making.
    init(_ simulator: RepositorySimulator, store: MemoryMetadataStore) {
        self.simulator = simulator
        self.store = store
    }

    func refresh(at start: UTCTime) -> Refresh<RepositorySimulator, MemoryMetadataStore> {
        Refresh(
            fetcher: simulator, store: store, start: start, floor: floor, limits: limits,
            expiry: expiry)
    }

    @discardableResult
    func run(
        at start: UTCTime? = nil, following paths: [String] = []
    ) throws(Failure) -> TrustedRepository {
        let paths = paths.compactMap(TargetPath.init)
        return try refresh(at: start ?? simulator.repository.now).run(following: paths)
    }

    /// Requires a refresh to be refused with this very error, after these requests, with all stored
    /// files as before but those of `storing`.
    func expectRefusal(
        _ expected: TUFError, at start: UTCTime? = nil, following paths: [String] = [],
        requests: [String], storing changed: [RoleName] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectFailure(
            .refused(expected), at: start, following: paths, requests: requests, storing: changed,
            sourceLocation: sourceLocation)
    }

    /// As `expectRefusal`, of any failure.
    func expectFailure(
        _ expected: Failure, at start: UTCTime? = nil, following paths: [String] = [],
        requests: [String], storing changed: [RoleName] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let before = store.files
        simulator.forgetRequests()
        let error = #expect(throws: Failure.self, sourceLocation: sourceLocation) {
            try run(at: start, following: paths)
        }
        #expect(error == expected, sourceLocation: sourceLocation)
        #expect(simulator.requests == requests, sourceLocation: sourceLocation)
        let names = Set(before.keys).union(store.files.keys)
        let different = names.filter { before[$0] != store.files[$0] }
        #expect(
            different == Set(changed.map { MetadataFileName($0) }), sourceLocation: sourceLocation)
    }
}

extension RoleName {
    static let releases = RoleName("model.commands-en") ?? .root
    static let plans = RoleName("plans.commands-en") ?? .root
}

func version(_ number: Int64) -> MetadataVersion { MetadataVersion(number) ?? .first }

/// Edits the JSON of a file, for faults that no honest type can hold.
func edited(_ bytes: [UInt8], _ edit: (inout JSONObject) -> Void) throws -> [UInt8] {
    var fields = try #require(try JSON(parsing: bytes, limit: 1_000_000).object)
    edit(&fields)
    return JSON.object(fields).bytes
}
