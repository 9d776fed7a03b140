import Console
import HTTPAPI
import Primitives

extension Listener {
    /// - Throws: `Failure`: `busy` where another program listens there.
    static func make(
        host: String, port: Int, transport: Transport
    ) async throws(Failure) -> Listener {
        do {
            return try await Listener(host: host, port: port, transport: transport)
        } catch {
            throw Failure(error)
        }
    }
}

extension RegistryServer {
    /// Runs to its end; says on standard output, and to systemd, when it listens.
    func serve() async throws(Failure) {
        do {
            try await run { port in
                Output.json(["type": "listening", "port": .integer(Int64(port))])
                SystemdNotice.ready()
            }
        } catch let error as ListenerError {
            throw Failure(error)
        } catch {
            throw Failure(.failed, "server: \(error)")
        }
    }
}

extension Failure {
    fileprivate init(_ error: ListenerError) {
        let kind: Kind = if case .portInUse = error { .busy } else { .failed }
        self.init(kind, "\(error)", hint: error.hint)
    }
}
