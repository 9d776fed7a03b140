import Hummingbird
import Logging
import RegistryCore

/// Turns whatever a route throws into one problem, and logs what is the registry's own fault, once.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// Tells which methods a path has, for a request with another one.
    let table: RouteTable

    @concurrent func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response(from: request, context: context)
        } catch let error as RegistryError {
            if error.code == .internal {
                context.logger.error("request.failed", metadata: ["error": "\(error)"])
            }
            return try Problem(error).response(from: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            return try unrouted(request).response(from: request, context: context)
        } catch let error as HTTPError where error.status == .contentTooLarge {
            return try Problem(.tooLarge, "request body: expected a smaller one")
                .response(from: request, context: context)
        } catch let error as any HTTPResponseError {
            throw error
        } catch {
            context.logger.error("request.failed", metadata: ["error": "\(error)"])
            let problem = Problem(
                .internal, "registry: expected an answer, got trouble of its own")
            return try problem.response(from: request, context: context)
        }
    }

    private func unrouted(_ request: Request) -> Problem {
        let path = request.uri.path
        let methods = table.methods(of: path)
        guard !methods.isEmpty, !methods.contains(request.method) else {
            return Problem(.notFound, "route '\(path)': expected one, got none")
        }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed, "method of '\(path)': expected \(allowed), got \(request.method)",
            headers: ["Allow": allowed])
    }
}
