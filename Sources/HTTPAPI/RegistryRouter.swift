package import Hummingbird

/// All routes of the registry (`docs/protocol.md`).
package struct RegistryRouter: Sendable {
    private let services: Services
    private let metrics: RequestMetrics
    private let fleet: FleetMetrics
    private let isDashboardOpen: Bool
    private let sessions = Sessions()

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
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: MetricsMiddleware(metrics: metrics))
        let table = table()
        router.add(middleware: ProblemMiddleware(table: table))
        table.add(to: router)
        return router
    }

    /// Every route; the router has these and no others.
    package func table() -> RouteTable {
        var table = RouteTable()
        StaticRoutes(services: services).add(to: &table)
        UploadRoutes(services: services).add(to: &table)
        RoleRoutes(services: services).add(to: &table)
        DeviceRoutes(services: services, metrics: metrics).add(to: &table)
        TokenRoutes(services: services).add(to: &table)
        RehearsalRoutes(services: services).add(to: &table)
        RolloutRoutes(services: services).add(to: &table)
        PinRoutes(services: services).add(to: &table)
        FleetRoutes(services: services).add(to: &table)
        OperationRoutes(services: services, metrics: metrics, fleet: fleet).add(to: &table)
        DashboardRoutes(services: services, sessions: sessions, isOpen: isDashboardOpen)
            .add(to: &table)
        let own = Route(
            .get, "/openapi.json", "This description", .open, [.file("application/json")])
        let description = Description(of: table.routes + [own]).json
        table.add(own) { _, _ in Response(description) }
        return table
    }
}
