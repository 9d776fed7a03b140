import HTTPTypes
import Hummingbird

/// The routes and their answers, in one list: the router is made of it, and so is the API's description.
package struct RouteTable: Sendable {
    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    package private(set) var routes: [Route] = []
    private var handlers: [Handler] = []

    init() {}

    mutating func add(_ route: Route, use handler: @escaping Handler) {
        routes.append(route)
        handlers.append(handler)
    }

    /// The methods that routes of this path have, HEAD with each GET; none for a path that no route has.
    func methods(of path: String) -> [HTTPRequest.Method] {
        routes.filter { $0.hasPath(path) }.flatMap { route in
            route.method == .get ? [.get, .head] : [route.method]
        }
    }

    /// Adds everything to a router; each GET then answers HEAD too (`RouterOptions.autoGenerateHeadEndpoints`).
    func add(to router: Router<APIContext>) {
        for (route, handler) in zip(routes, handlers) {
            router.on(RouterPath(route.path), method: route.method, use: handler)
        }
    }
}
