import Cryptography
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import TUF
import TestSupport
import Testing

/// What a registry that died at any moment leaves, and that going on leads to the same end.
struct CrashTests {
    private let now = UTCTime(clamping: 1_764_000_000)

    /// Founds a repository and publishes two releases, doing each step again until it was answered.
    private func publishAll(_ registry: TestRegistry) throws {
        try registry.found(at: now)
        if try registry.modelTargets(at: now).targets.isEmpty {
            try registry.release("1.0.0", replaces: [], at: now)
        }
        if try registry.modelTargets(at: now).targets.count < 4 {
            try registry.release("1.1.0", replaces: ["1.0.0"], at: now)
        }
    }

    private func metadata(_ store: any RegistryStoring) throws -> [StoredRole?] {
        let model = TestRegistry().model
        return try store.read { (records) throws(RegistryError) in
            var all: [StoredRole?] = []
            for role in RoleName.topLevel + [.model(model), .plans(model)] {
                all.append(try records.live(role))
            }
            return all
        }
    }

    @Test(arguments: 0..<5, CutStore.Moment.allCases)
    func `killed at any commit, it goes on to the same metadata`(
        commits: Int, moment: CutStore.Moment
    ) throws {
        let whole = TestRegistry()
        try publishAll(whole)

        let store = MemoryStore()
        let blobs = MemoryBlobs()
        let cut = CutStore(store, after: commits, moment)
        let dying = TestRegistry(store: cut, blobs: blobs)
        let isKilled = (try? publishAll(dying)) == nil
        #expect(isKilled == cut.isDead)
        try publishAll(TestRegistry(store: store, blobs: blobs))
        #expect(try metadata(store) == metadata(whole.store))
        let log = TestRegistry(store: store, blobs: blobs)
        #expect(try log.events() == whole.events())
        _ = try AuditLog(store: store).verify()
    }

    /// A store that fails inside a transaction, after each number of verbs: nothing of it is seen.
    @Test func `failing at any verb of a transaction changes nothing`() throws {
        var verbs = 0
        while true {
            let store = MemoryStore()
            let registry = TestRegistry(store: store)
            try registry.found(at: now)
            let bundle = try SampleBundle(
                registry.model, try #require(SemanticVersion("1.0.0")))
            try registry.upload(bundle)
            let before = try metadata(store)
            let events = try registry.events()
            var targets = Targets(expires: now + 9 * TestRegistry.day)
            targets.targets[.manifest(of: registry.model, bundle.manifest.version)] =
                TargetDescription(of: bundle.manifest.bytes)
            let bytes = TestRegistry.signed(
                targets, of: .model(registry.model), by: TestRegistry.releaseKeys)
            store.allow(verbs)
            let posting = try? registry.roles.post(
                bytes, as: .model(registry.model), by: registry.admin, at: now)
            store.allow(nil)
            if posting != nil { break }
            #expect(try metadata(store) == before)
            #expect(try registry.events() == events)
            verbs += 1
        }
        #expect(verbs > 15)
    }

    @Test(arguments: CutStore.Moment.allCases)
    func `a report whose answer was lost is accepted again`(moment: CutStore.Moment) throws {
        let store = MemoryStore()
        let registry = TestRegistry(store: store)
        try registry.found(at: now)
        var device = TestDevice("one", model: registry.model)
        try registry.enrol(device, at: now)
        let report = device.report(at: now)
        let dying = TestRegistry(store: CutStore(store, after: 0, moment))
        #expect(throws: CutStore.dead) { try dying.send(device, report, at: now) }
        let held = try registry.devices.detail(of: device.id, by: registry.admin).figures.count
        #expect(held == (moment == .after ? 1 : 0))
        #expect(try registry.send(device, report, at: now + 1).accepted == [1])
        let detail = try registry.devices.detail(of: device.id, by: registry.admin)
        #expect(detail.figures.map(\.report) == [report])
    }
}
