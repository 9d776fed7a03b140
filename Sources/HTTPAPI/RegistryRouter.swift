package import Hummingbird

/// All routes of the registry (`docs/protocol.md`).
package struct RegistryRouter: Sendable {
    private let services: Services
    private let metrics: RequestMetrics
    private let fleet: FleetMetrics
    private let isDashboardOpen: Bool

    /// Puts the routes together; an open dashboard is shown without a token.
    package init(
        services: Services, metrics: RequestMetrics, fleet: FleetMetrics, isDashboardOpen: Bool
    ) {
        self.isDashboardOpen = isDashboardOpen
        self.services = services
        self.metrics = metrics
        self.fleet = fleet
    }

    package func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: MetricsMiddleware(metrics: metrics))
        router.add(middleware: ProblemMiddleware())
        StaticRoutes(services: services).add(to: router)
        UploadRoutes(services: services).add(to: router)
        RoleRoutes(services: services).add(to: router)
        DeviceRoutes(services: services, metrics: metrics).add(to: router)
        TokenRoutes(services: services).add(to: router)
        RolloutRoutes(services: services).add(to: router)
        FleetRoutes(services: services).add(to: router)
        OperationRoutes(services: services, metrics: metrics, fleet: fleet).add(to: router)
        return router
    }
}
