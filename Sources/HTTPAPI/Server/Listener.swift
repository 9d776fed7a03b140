import HummingbirdTLS
import NIOCore
import NIOPosix
import NIOSSL

/// A place to listen at, tried out: its certificate fits its key, and its address was free a moment ago.
///
/// Made before anything else is opened or written, so that a server which cannot start leaves no trace.
package struct Listener: Sendable {
    package enum Transport: Sendable, Hashable {
        case plain
        /// PEM files: the certificate with its chain, and the key.
        case tls(certificate: String, key: String)
    }

    let host: String
    /// 0 for any free one.
    let port: Int
    /// TLS 1.2 or newer; nil for plain HTTP.
    let tls: TLSConfiguration?

    /// Reads the TLS files, then listens for a moment and stops again.
    ///
    /// Another program may still take the port before the server does; then the server says so.
    ///
    /// - Parameters:
    ///   - host: an address of this machine, or a name that has one.
    ///   - port: 0 to 65535; 0 stands for any free one.
    ///   - transport: plain, or TLS with its files.
    /// - Throws: `ListenerError`.
    package init(
        host: String, port: Int, transport: Transport
    ) async throws(ListenerError) {
        self.host = host
        self.port = port
        tls =
            switch transport {
            case .plain: nil
            case .tls(let certificate, let key):
                try Self.tls(certificate: certificate, key: key)
            }
        do {
            // As the server itself binds: a port whose connections are still fading away is free.
            let channel = try await ServerBootstrap(group: RegistryServer.loops)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
            try await channel.close()
        } catch {
            throw ListenerError(error, host: host, port: port)
        }
    }

    private static func tls(
        certificate: String, key: String
    ) throws(ListenerError) -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate) } catch {
            throw .certificate(certificate, reason: "\(error)")
        }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            // Finds a key that is not the certificate's.
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch {
            throw .key(key, certificate: certificate, reason: "\(error)")
        }
    }
}
