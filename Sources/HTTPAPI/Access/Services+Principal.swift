import HTTPTypes
import Hummingbird
import RegistryCore

extension Services {
    /// Who asks, by the request's bearer token (RFC 6750 section 2.1).
    ///
    /// - Throws: `RegistryError.unauthorised` without one, or with one that is not in force.
    func principal(of request: Request) throws -> Principal {
        let scheme = "Bearer "
        guard let header = request.headers[.authorization], header.hasPrefix(scheme) else {
            throw RegistryError.unauthorised
        }
        return try tokens.principal(showing: String(header.dropFirst(scheme.count)), at: now())
    }

    /// Runs a use case for the bearer of the request's token, where it may wait for the disk.
    func answering<Value: Sendable>(
        _ request: Request, _ work: @escaping @Sendable (Principal) throws -> Value
    ) async throws -> Value {
        let headers = request
        return try await blocking { try work(principal(of: headers)) }
    }
}
