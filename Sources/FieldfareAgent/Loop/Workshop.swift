import AgentCore
import Synchronization
import Telemetry

/// The two lanes of work: a thread each for the slots and for the registry, with connections of their own.
///
/// Jobs are ordered and cancelled by the loop's thread; results wait in `takeResults` after a ring of `bell`.
final class Workshop: Sendable {
    private struct Running {
        let lane: Job.Lane
        /// Nil until the job begins.
        var stop: Interrupt?
    }

    private struct State {
        var results: [(Ticket, JobResult)] = []
        var running: [Ticket: Running] = [:]
        var stops: [Job.Lane: Interrupt] = [:]
    }

    let bell: WakePipe
    private let state = Mutex(State())
    private let runners: [Job.Lane: JobRunner<MetadataFolder>]
    private let clients: [Job.Lane: [RegistryClient]]
    private let threads: [Job.Lane: WorkerThread]

    init(
        runners: [Job.Lane: JobRunner<MetadataFolder>], clients: [Job.Lane: [RegistryClient]]
    ) throws(AgentError) {
        self.runners = runners
        self.clients = clients
        bell = try WakePipe()
        var threads: [Job.Lane: WorkerThread] = [:]
        for lane in Job.Lane.allCases { threads[lane] = try WorkerThread() }
        self.threads = threads
    }

    /// Begins a job behind those of its lane.
    func start(_ ticket: Ticket, _ job: Job, trace: TraceID?) {
        guard let thread = threads[job.lane], let runner = runners[job.lane] else {
            preconditionFailure("every lane has a thread and a runner")
        }
        state.withLock { $0.running[ticket] = Running(lane: job.lane) }
        let clients = clients[job.lane] ?? []
        thread.give { [weak self] in
            guard let self, let stop = self.begin(ticket) else { return }
            for client in clients { client.attribute(to: trace) }
            let result = runner.run(job, until: stop)
            // The first is kept for the lane's next job.
            for client in clients.dropFirst() { client.disconnect() }
            self.finish(ticket, result)
        }
    }

    /// Interrupts a job; its result will not come.
    func cancel(_ ticket: Ticket) {
        let running = state.withLock { $0.running.removeValue(forKey: ticket) }
        running?.stop?.set()
    }

    /// Whether no job is under way or waits for its turn.
    var isIdle: Bool { state.withLock { $0.running.isEmpty } }

    func takeResults() -> [(Ticket, JobResult)] {
        bell.silence()
        return state.withLock { state in
            defer { state.results = [] }
            return state.results
        }
    }

    /// Interrupts everything, and waits for the threads.
    func close() {
        let stops = state.withLock { state in
            defer { state.running = [:] }
            return state.running.values.compactMap(\.stop)
        }
        for stop in stops { stop.set() }
        for thread in threads.values { thread.stop() }
    }

    /// The interrupt of a job that begins now; nil for one that was cancelled while it waited.
    ///
    /// One interrupt serves a lane until it was set, so that the lane's connection is kept.
    private func begin(_ ticket: Ticket) -> Interrupt? {
        state.withLock { state in
            guard let lane = state.running[ticket]?.lane else { return nil }
            let stop = state.stops[lane].flatMap { $0.isSet ? nil : $0 } ?? Interrupt()
            state.stops[lane] = stop
            state.running[ticket]?.stop = stop
            return stop
        }
    }

    private func finish(_ ticket: Ticket, _ result: JobResult) {
        state.withLock { state in
            guard state.running.removeValue(forKey: ticket) != nil else { return }
            state.results.append((ticket, result))
        }
        bell.ring()
    }
}
