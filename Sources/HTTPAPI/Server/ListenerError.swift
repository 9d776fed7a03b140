import Glibc
import NIOCore

/// Why a server cannot listen.
package enum ListenerError: Error, Sendable, Hashable {
    /// Another program listens there.
    case portInUse(host: String, port: Int)
    /// The port is kept for others, as those below 1024 are.
    case notPermitted(port: Int)
    /// The address is no one of this machine.
    case foreignAddress(host: String)
    /// The name has no address.
    case unknownHost(String)
    /// No certificate in PEM, or none that can be read.
    case certificate(String, reason: String)
    /// No key in PEM, none that can be read, or another certificate's.
    case key(String, certificate: String, reason: String)
    case other(host: String, port: Int, reason: String)

    /// What listening threw, in our words.
    init(_ error: any Error, host: String, port: Int) {
        self =
            switch (error, (error as? IOError)?.errnoCode) {
            case (_, EADDRINUSE): .portInUse(host: host, port: port)
            case (_, EACCES): .notPermitted(port: port)
            case (_, EADDRNOTAVAIL): .foreignAddress(host: host)
            case (is SocketAddressError.UnknownHost, _): .unknownHost(host)
            default: .other(host: host, port: port, reason: "\(error)")
            }
    }

    /// What may be done about it.
    package var hint: String? {
        switch self {
        case .portInUse: "stop the other program, or choose another port"
        case .notPermitted: "choose a port from 1024 on, with a proxy in front"
        default: nil
        }
    }
}

extension ListenerError: CustomStringConvertible {
    /// Thing, expected, got.
    package var description: String {
        switch self {
        case .portInUse(let host, let port):
            "port \(port) of '\(host)': expected a free one, got one on which another program listens"
        case .notPermitted(let port):
            "port \(port): expected one that this user may listen on, got one kept for others"
        case .foreignAddress(let host):
            "host '\(host)': expected an address of this machine, got another"
        case .unknownHost(let host):
            "host '\(host)': expected an address, or a name that has one, got neither"
        case .certificate(let path, let reason):
            "TLS certificate '\(path)': expected a certificate with its chain (PEM), got none: \(reason)"
        case .key(let path, let certificate, let reason):
            "TLS key '\(path)': expected the key of certificate '\(certificate)' (PEM), got none: \(reason)"
        case .other(let host, let port, let reason):
            "server on '\(host)', port \(port): expected to listen, could not: \(reason)"
        }
    }
}
