package import Logging
import ServiceLifecycle

/// Work that the registry does by itself, again and again: the controller's tick, signing anew, retention.
///
/// One run ends before the next begins; a run that fails is logged, and the next one tries again.
package struct PeriodicJob: Service {
    private let name: String
    private let interval: Duration
    private let logger: Logger
    private let work: @Sendable () throws -> Void

    /// The interval is from the end of one run to the start of the next; `work` may block, and has a thread of its own.
    package init(
        _ name: String, every interval: Duration, logger: Logger,
        work: @escaping @Sendable () throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.logger = logger
        self.work = work
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await blocking(work)
                } catch {
                    logger.error("job.failed", metadata: ["job": "\(name)", "error": "\(error)"])
                }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }
}
