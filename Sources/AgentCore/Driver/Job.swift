package import Primitives
package import Rollouts
package import Speech
package import TUF
package import Telemetry

/// Long work that the driver hands to a worker: what blocks on the network, the disk or a child.
package enum Job: Sendable {
    case poll(PollQuestion)
    /// With the most bytes that may come for it; nil for any number.
    case stage(ManifestTarget, into: Slot, atMost: Int64?)
    case probe(Slot, deviceClass: AttributeName)
    /// `isForgotten`: the registry does not know the device any more.
    case enrol(isForgotten: Bool)
    case post(ReportBatch)
    case verify(Slot, BundleReference)
    case discard(Slot)

    /// Which of the agent's two workers does it: slot work may take hours, and must not keep a poll waiting.
    package enum Lane: Sendable, Hashable, CaseIterable {
        case slots
        case registry
    }

    package var lane: Lane {
        switch self {
        case .poll, .enrol, .post: .registry
        case .stage, .probe, .verify, .discard: .slots
        }
    }
}

/// Which job; a result with a ticket that the driver has given up is dropped.
package struct Ticket: Sendable, Hashable {
    package let number: Int

    package init(_ number: Int) { self.number = number }
}

/// Reports on their way: as they travel, and what was read from the queue.
package struct ReportBatch: Sendable {
    package static let schema = "fieldfare.report-batch/1"
    package static let reportLimit = 64
    package static let byteLimit = 256 << 10

    package let body: JSON
    package let sequences: [Int64]
    /// The beacon among them, with the attempt that it announces.
    package let beacon: (sequence: Int64, trace: TraceID)?
}

/// How a job ended.
package enum JobResult: Sendable {
    case polled(Result<PollMaterial, PollError>)
    case staged(Result<StagingSummary, SlotError>)
    case probed(Result<SmokeVerdict, ProbeError>)
    case enrolled(Result<Void, EnrolmentFailure>)
    case posted(ReportBatch, Result<ReportReceipt, FetchError>)
    case verified(Slot, Result<Void, SlotError>)
    case discarded(Slot, Result<Void, SlotError>)
}

/// Does jobs over the ports, one at a time for each lane.
package struct JobRunner<Store: MetadataStoring & Sendable>: Sendable {
    let fetching: any Fetching
    /// What bundles are fetched from, at the same time.
    let sources: [any Fetching]
    let reporting: any Reporting
    let enrolling: any Enrolling
    let slots: any SlotStoring
    let probing: any Probing
    let store: Store
    let cache: any TargetCaching
    let systemTime: @Sendable () -> UTCTime
    let memory: PollMemory?

    /// Runs jobs over these ports; `systemTime` is now by the system's clock, whatever has been signed.
    ///
    /// Bundles come from `sources` at the same time; where there are none, from `fetching`.
    package init(
        fetching: any Fetching, sources: [any Fetching] = [], reporting: any Reporting,
        enrolling: any Enrolling, slots: any SlotStoring, probing: any Probing, store: Store,
        cache: any TargetCaching,
        systemTime: @escaping @Sendable () -> UTCTime, memory: PollMemory? = nil
    ) {
        self.fetching = fetching
        self.sources = sources.isEmpty ? [fetching] : sources
        self.reporting = reporting
        self.enrolling = enrolling
        self.slots = slots
        self.probing = probing
        self.store = store
        self.cache = cache
        self.systemTime = systemTime
        self.memory = memory
    }

    /// Blocks until the job has ended, or soon after `stop` was set.
    package func run(_ job: Job, until stop: Interrupt) -> JobResult {
        switch job {
        case .poll(var question):
            question.start = systemTime()
            let cycle = PollCycle(
                fetching: fetching, store: store, cache: cache, stop: stop, memory: memory)
            return .polled(Result { () throws(PollError) in try cycle.run(question) })
        case .stage(let target, let slot, let limit):
            return .staged(
                Result { () throws(SlotError) in
                    try slots.stage(
                        target, into: slot, from: sources, atMost: limit, until: stop)
                })
        case .probe(let slot, let deviceClass):
            return .probed(
                Result { () throws(ProbeError) in
                    try probing.probe(slot, deviceClass: deviceClass, until: stop)
                })
        case .enrol(let isForgotten):
            return .enrolled(
                Result { () throws(EnrolmentFailure) in
                    try enrolling.enrol(isForgotten: isForgotten, until: stop)
                })
        case .post(let batch):
            return .posted(
                batch,
                Result { () throws(FetchError) in
                    try reporting.post(batch.body, until: stop)
                })
        case .verify(let slot, let bundle):
            return .verified(
                slot,
                Result { () throws(SlotError) in
                    try slots.verify(slot, holds: bundle, until: stop)
                })
        case .discard(let slot):
            return .discarded(slot, Result { () throws(SlotError) in try slots.discard(slot) })
        }
    }
}
