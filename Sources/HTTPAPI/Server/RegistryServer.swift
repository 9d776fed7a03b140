import CPosixShims
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOPosix
import UnixSignals

/// The listening side: HTTP/1.1, over TLS or, behind a proxy on the same machine, plain.
///
/// HTTP/1.1 only: HTTP/2 between this server and the libcurl of Debian 12 breaks under many small transfers.
package struct RegistryServer: Sendable {
    /// Idle connections are closed after this many seconds; an agent's poll interval is longer anyway.
    private static let idle = Duration.seconds(75)

    /// One event loop for each CPU that the process may run on: more would only take turns.
    static let loops = MultiThreadedEventLoopGroup(
        numberOfThreads: max(1, Int(cposix_allowed_cpus())))

    private let responder: RouterResponder<APIContext>
    private let listener: Listener
    private let polls: PollAnswers?
    private let jobs: [PeriodicJob]
    private let logger: Logger

    /// Without `polls` every request goes to the router.
    package init(
        router: Router<APIContext>, polls: PollAnswers? = nil, listener: Listener,
        jobs: [PeriodicJob], logger: Logger
    ) {
        responder = router.buildResponder()
        self.listener = listener
        self.polls = polls
        self.jobs = jobs
        self.logger = logger
    }

    /// Serves until the process is asked to end (SIGTERM, SIGINT), and lets open requests finish.
    ///
    /// - Parameter listening: called once, with the port in use.
    /// - Throws: `ListenerError` where the port was taken since the listener was made.
    package func run(listening: @escaping @Sendable (Int) async -> Void) async throws {
        let (host, port) = (listener.host, listener.port)
        let application = Application(
            responder: responder, server: try builder(),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: nil),
            services: jobs,
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(Self.loops),
            logger: logger)
        do {
            try await application.runService(gracefulShutdownSignals: [
                UnixSignal.sigterm, UnixSignal.sigint,
            ])
        } catch let error as IOError {
            throw ListenerError(error, host: host, port: port)
        }
    }

    private func builder() throws -> HTTPServerBuilder {
        let polls = polls
        let http = HTTPServerBuilder { responder in
            RegistryChannel(responder: responder, polls: polls, idleTimeout: Self.idle)
        }
        return try listener.tls.map { try .tls(http, tlsConfiguration: $0) } ?? http
    }
}
