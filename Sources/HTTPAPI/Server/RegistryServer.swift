package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import UnixSignals

/// The listening side: HTTP/1.1, over TLS or, behind a proxy on the same machine, plain.
///
/// HTTP/1.1 only: HTTP/2 between this server and the libcurl of Debian 12 breaks under many small transfers.
package struct RegistryServer: Sendable {
    /// Idle connections are closed after this many seconds; an agent's poll interval is longer anyway.
    private static let idleSeconds: Int64 = 75

    private let responder: RouterResponder<APIContext>
    private let listener: Listener
    private let jobs: [PeriodicJob]
    private let logger: Logger

    package init(
        router: Router<APIContext>, listener: Listener, jobs: [PeriodicJob], logger: Logger
    ) {
        responder = router.buildResponder()
        self.listener = listener
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
        let http = HTTPServerBuilder.http1(
            configuration: .init(idleTimeout: .seconds(Self.idleSeconds)))
        return try listener.tls.map { try .tls(http, tlsConfiguration: $0) } ?? http
    }
}
