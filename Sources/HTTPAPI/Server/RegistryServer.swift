import CPosixShims
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOPosix
import NIOSSL
import UnixSignals

/// The listening side: HTTP/1.1, over TLS or, behind a proxy on the same machine, plain.
///
/// HTTP/1.1 only: HTTP/2 between this server and the libcurl of Debian 12 breaks under many small transfers.
package struct RegistryServer: Sendable {
    package enum Transport: Sendable, Hashable {
        case plain
        /// PEM files: the certificate with its chain, and the key.
        case tls(certificate: String, key: String)
    }

    /// Idle connections are closed after this many seconds; an agent's poll interval is longer anyway.
    private static let idle = Duration.seconds(75)

    /// One event loop for each CPU that the process may run on: more would only take turns.
    private static let loops = MultiThreadedEventLoopGroup(
        numberOfThreads: max(1, Int(cposix_allowed_cpus())))

    private let responder: RouterResponder<APIContext>
    private let host: String
    private let port: Int
    private let transport: Transport
    private let polls: PollAnswers?
    private let jobs: [PeriodicJob]
    private let logger: Logger

    /// Port 0 stands for any free one; without `polls` every request goes to the router.
    package init(
        router: Router<APIContext>, polls: PollAnswers? = nil, host: String, port: Int,
        transport: Transport, jobs: [PeriodicJob], logger: Logger
    ) {
        responder = router.buildResponder()
        self.host = host
        self.port = port
        self.transport = transport
        self.polls = polls
        self.jobs = jobs
        self.logger = logger
    }

    /// Serves until the process is asked to end (SIGTERM, SIGINT), and lets open requests finish.
    ///
    /// - Parameter listening: called once, with the port in use.
    /// - Throws: where the port is in use or a certificate cannot be read.
    package func run(listening: @escaping @Sendable (Int) async -> Void) async throws {
        let application = Application(
            responder: responder, server: try builder(),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: nil),
            services: jobs,
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(Self.loops),
            logger: logger)
        try await application.runService(gracefulShutdownSignals: [
            UnixSignal.sigterm, UnixSignal.sigint,
        ])
    }

    private func builder() throws -> HTTPServerBuilder {
        let polls = polls
        let http = HTTPServerBuilder { responder in
            RegistryChannel(responder: responder, polls: polls, idleTimeout: Self.idle)
        }
        switch transport {
        case .plain: return http
        case .tls(let certificate, let key):
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try .tls(http, tlsConfiguration: configuration)
        }
    }
}
