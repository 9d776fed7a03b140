import Cryptography
package import Primitives
package import Rollouts
package import TUF

/// What one poll must know beforehand; a value, so that the poll can run on another thread.
package struct PollQuestion: Sendable {
    package let model: ModelName
    package let channel: ChannelName
    package let device: DeviceID
    /// Bundles whose policies and lifts are wanted, whatever the plan names: what runs, and what the idle slot has.
    package let concerned: [BundleReference]
    /// Now; `JobRunner` asks the system's clock for it when the poll begins.
    package var start: UTCTime
    /// The device's time, by what it has seen signed.
    package let floor: TimeFloor?

    package init(
        model: ModelName, channel: ChannelName, device: DeviceID, concerned: [BundleReference],
        start: UTCTime, floor: TimeFloor? = nil
    ) {
        self.model = model
        self.channel = channel
        self.device = device
        self.concerned = concerned
        self.start = start
        self.floor = floor
    }
}

/// One poll: refreshes the metadata and reads the plan and the release documents that it needs.
///
/// Off-spec: expired `targets` and `model.<m>` are used and reported, so that the brake always works
/// (ADR 0001); `decide` then takes nothing new. All else of TUF 1.0.34 section 5 is strict.
package struct PollCycle<Store: MetadataStoring> {
    /// Release documents of one version that are read at most.
    static var documentLimit: Int { 64 }

    let fetching: any Fetching
    let store: Store
    let cache: any TargetCaching
    let stop: Interrupt
    let memory: PollMemory?

    package init(
        fetching: any Fetching, store: Store, cache: any TargetCaching, stop: Interrupt,
        memory: PollMemory? = nil
    ) {
        self.fetching = fetching
        self.store = store
        self.cache = cache
        self.stop = stop
        self.memory = memory
    }

    /// Refreshes, and collects what bears on this device.
    package func run(_ question: PollQuestion) throws(PollError) -> PollMaterial {
        if let material = try unchanged(question) { return material }
        memory?.forget()
        let refresh = Refresh(
            fetcher: MetadataSource(fetching: fetching, stop: stop), store: store,
            start: question.start, floor: question.floor, expiry: .reportOffline)
        let repository = try repository(by: refresh, for: question.model)
        var collector = DocumentCollector(
            question: question, repository: repository, fetching: fetching, cache: cache, stop: stop
        )
        try collector.collect()
        cache.retain(only: collector.used)
        memory?.remember(collector.material, of: repository, as: question)
        return collector.material
    }

    /// What the last poll brought, where the repository's timestamp is the same; one request.
    private func unchanged(_ question: PollQuestion) throws(PollError) -> PollMaterial? {
        guard let last = memory?.answer(to: question) else { return nil }
        let name = MetadataFileName(.timestamp)
        do {
            let bytes = try fetching.metadata(
                name.description, limit: Limits.standard.timestamp, until: stop)
            return bytes == last.timestamp ? last.material : nil
        } catch .interrupted { throw .interrupted } catch { throw .fetch(error) }
    }

    private func repository(
        by refresh: Refresh<MetadataSource, Store>, for model: ModelName
    ) throws(PollError) -> TrustedRepository {
        do throws(Refresh<MetadataSource, Store>.Failure) {
            var repository = try refresh.run()
            for role in [RoleName.plans(model), .model(model)] {
                do throws(Refresh<MetadataSource, Store>.Failure) {
                    _ = try refresh.load(role, into: &repository)
                } catch .refused(.roleNotListed) {
                    // A delegation whose metadata is not there yet is a model without releases.
                }
            }
            return repository
        } catch {
            switch error {
            case .refused(let reason): throw .refused(reason)
            case .fetching(.interrupted): throw .interrupted
            case .fetching(let reason): throw .fetch(reason)
            case .storing: throw .storage
            }
        }
    }
}

/// The metadata side of `Fetching`, as `Refresh` wants it.
struct MetadataSource: MetadataFetching {
    let fetching: any Fetching
    let stop: Interrupt

    func fetch(_ name: MetadataFileName, limit: Int) throws(FetchError) -> [UInt8]? {
        try fetching.metadata(name.description, limit: limit, until: stop)
    }
}
