import Console
import PosixFiles
import Primitives
import TUF

/// What a registry or a mirror publishes, verified from a root of trust as a device verifies it.
///
/// Whoever signs the next version of something must not take the last one from the registry's word: a registry that
/// lies would get its own keys and bundles signed. Expired metadata that people sign offline counts, because they are
/// about to sign its successor; what the registry signs itself must be fresh.
struct TrustedRegistry {
    private let source: any StaticSource
    private let refresh: Refresh<SourceFetcher, MetadataMemory>

    /// - Throws: `Failure` `refused` for a file that is no root signed by its own keys.
    init(_ source: any StaticSource, root: TrustedRootFile) throws(Failure) {
        let refresh = Refresh(
            fetcher: SourceFetcher(source: source), store: MetadataMemory(),
            start: SystemClock.now(), expiry: .forSigners)
        self.source = source
        self.refresh = refresh
        try Failure.refreshing("root of trust '\(root.path)'") {
            () throws(RefreshError<Failure, Never>) in
            try refresh.install(trustedRoot: root.bytes)
        }
    }

    /// The newest root; timestamp and what it names are not looked at.
    func root() throws(Failure) -> Trusted<Root> {
        try Failure.refreshing { () throws(RefreshError<Failure, Never>) in
            try refresh.newestRoot()
        }
    }

    /// The four top-level roles of this moment.
    func repository() throws(Failure) -> TrustedRepository {
        try Failure.refreshing { () throws(RefreshError<Failure, Never>) in try refresh.run() }
    }

    /// What is live of targets; nil before the first are.
    ///
    /// A registry that hides it hides nothing by that: all of what comes next is then shown as new.
    func liveTargets() throws(Failure) -> LiveRole? {
        let bytes: [UInt8]
        do {
            bytes = try refresh.run().targets.bytes
        } catch {
            switch error {
            case .refused(.absent(.timestamp, _)): return nil
            case .refused(.tooFewSignatures(.targets, _, _, _)): return try exchanged(.targets)
            default: throw Failure("repository", error)
            }
        }
        return try LiveRole(bytes, of: .targets, isVerified: true)
    }

    /// What is live of a role that targets delegate to; nil where nothing is.
    func live(
        _ role: RoleName, in repository: inout TrustedRepository
    ) throws(Failure) -> LiveRole? {
        guard repository.version(of: role) != nil else { return nil }
        let file: Trusted<Targets>?
        do {
            file = try refresh.load(role, into: &repository)
        } catch {
            guard case .refused(.tooFewSignatures(role, _, _, _)) = error else {
                throw Failure("repository", error)
            }
            return try exchanged(role)
        }
        guard let file else { return nil }
        return try LiveRole(file.bytes, of: role, isVerified: true)
    }

    /// A file that the keys of today have not signed: those of earlier have, or somebody lies.
    private func exchanged(_ role: RoleName) throws(Failure) -> LiveRole? {
        let listing = try Failure.refreshing { () throws(RefreshError<Failure, Never>) in
            try refresh.listing()
        }
        guard let version = listing.snapshot.content.meta[role]?.version else { return nil }
        let name = MetadataFileName(role, version: version)
        let limit = Limits.standard.bytes(of: role)
        guard let bytes = try source.bytes("tuf/\(name)", limit: limit) else {
            throw Failure(.failed, "metadata '\(name)': expected it, got none")
        }
        let live = try LiveRole(bytes, of: role, isVerified: false)
        guard live.content.version == version else {
            throw Failure(
                .refused,
                "metadata '\(name)': expected version \(version), got \(live.content.version)")
        }
        return live
    }
}

/// The newest file of targets or of a model's role at a registry.
struct LiveRole {
    let bytes: [UInt8]
    let content: Targets
    /// Whether the keys of today have signed it; otherwise nothing in it may be believed.
    let isVerified: Bool

    init(_ bytes: [UInt8], of role: RoleName, isVerified: Bool) throws(Failure) {
        self.bytes = bytes
        self.isVerified = isVerified
        do {
            content = try Draft<Targets>(parsing: bytes, as: role).content
        } catch {
            throw Failure(.refused, "metadata of '\(role)': \(error)")
        }
    }
}

extension Failure {
    init(_ thing: String, _ error: RefreshError<Failure, Never>) {
        switch error {
        case .refused(let error):
            self.init(.refused, "\(thing): \(error)".visible, hint: error.hint)
        case .fetching(let failure): self = failure
        }
    }

    /// Does a part of a refresh; a refusal names the thing, and says what can be done.
    static func refreshing<Value>(
        _ thing: String = "repository",
        _ work: () throws(RefreshError<Failure, Never>) -> Value
    ) throws(Failure) -> Value {
        do { return try work() } catch { throw Failure(thing, error) }
    }
}
