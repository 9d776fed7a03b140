import AgentCore
import Console
import ModelBundle
import Primitives
import RegistryAccess
import Rollouts
import Synchronization
import TUF

/// Reads what bears on one device from verified static files, by the agent's own poll.
struct ModelReader {
    let files: StaticFiles
    let device: DeviceID
    let model: ModelName
    let channel: ChannelName

    /// Verifies from the root of trust, and reads the plan, the release documents and the named versions.
    ///
    /// - Throws: `Failure` `refused` where the files are not to be trusted, or do not list a version.
    func read(
        root: [UInt8], naming versions: Set<SemanticVersion>, at now: UTCTime
    ) throws(Failure) -> (PollMaterial, [SemanticVersion: BundleReference]) {
        let memory = MetadataMemory()
        try Failure.catching("root of trust", .refused) {
            try Refresh(fetcher: NoFetcher(), store: memory, start: now).install(trustedRoot: root)
        }
        let cycle = PollCycle(
            fetching: files, store: memory, cache: NoCache(), stop: Interrupt())
        // The first poll tells the digests of the named versions, the second reads their manifests.
        let listed = try poll(cycle, [], at: now).listing.manifests
        var concerned: [BundleReference] = []
        for version in versions.sorted() {
            guard let digest = listed[version] else {
                throw Failure(
                    .refused,
                    "version \(version): expected one that \(RoleName.model(model)) lists, got another"
                )
            }
            concerned.append(BundleReference(version: version, sha256: digest, length: 0))
        }
        let material = try poll(cycle, concerned, at: now)
        let bundles = concerned.compactMap { bundle in
            material.manifests[bundle.sha256].map { (bundle.version, $0.reference) }
        }
        return (material, Dictionary(bundles) { first, _ in first })
    }

    private func poll(
        _ cycle: PollCycle<MetadataMemory>, _ concerned: [BundleReference], at now: UTCTime
    ) throws(Failure) -> PollMaterial {
        do {
            return try cycle.run(
                PollQuestion(
                    model: model, channel: channel, device: device, concerned: concerned,
                    start: now))
        } catch .fetch(let error, of: _) {
            throw files.trouble
                ?? Failure(error.isRetryable ? .unreachable : .refused, "static files: \(error)")
        } catch {
            throw Failure(.refused, "repository: \(error)")
        }
    }
}

/// A repository's static files in a folder or behind a URL, as the agent asks for them.
final class StaticFiles: Fetching {
    private struct State {
        let source: any StaticSource
        var trouble: Failure?
    }

    private let state: Mutex<State>

    /// - Throws: `Failure` where the folder cannot be opened.
    init(folder: String) throws(Failure) {
        state = Mutex(State(source: try FolderSource(folder)))
    }

    init(server: RegistryAddress) { state = Mutex(State(source: RegistryAPI(server))) }

    /// What went wrong last.
    var trouble: Failure? { state.withLock { $0.trouble } }

    func metadata(
        _ name: String, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8]? {
        try bytes("tuf/\(name)", limit)
    }

    func target(
        _ path: TargetPath, limit: Int, until stop: Interrupt
    ) throws(FetchError) -> [UInt8] {
        guard let bytes = try bytes("targets/\(path.urlPath)", limit) else {
            throw .malformed("no file 'targets/\(path)'")
        }
        return bytes
    }

    func blob(
        _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
        into sink: (RawSpan) -> Bool
    ) throws(FetchError) {
        throw .notFound
    }

    private func bytes(_ path: String, _ limit: Int) throws(FetchError) -> [UInt8]? {
        let result = state.withLock { state in
            do throws(Failure) {
                return Result<[UInt8]?, FetchError>.success(
                    try state.source.bytes(path, limit: limit))
            } catch {
                state.trouble = error
                return .failure(
                    error.kind == .unreachable
                        ? .unreachable(error.text) : .malformed(error.text))
            }
        }
        return try result.get()
    }
}

private struct NoFetcher: MetadataFetching {
    func fetch(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? { nil }
}

private struct NoCache: TargetCaching {
    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? { nil }
    func keep(_ bytes: [UInt8], as digest: SHA256Digest) {}
    func retain(only digests: Set<SHA256Digest>) {}
}
