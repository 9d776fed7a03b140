import Hummingbird
import Primitives
import RegistryCore

/// `POST /v1/rollouts/{model}/{channel}/rehearsal`: whether a bad release would be stopped.
struct RehearsalRoutes: Sendable {
    let services: Services

    func add(to table: inout RouteTable) {
        table.add(
            Route(
                .post, "/v1/rollouts/{model}/{channel}/rehearsal",
                "Rehearses the brake with made-up devices, before the start",
                .token([.operate], .ofModel), [.json("rehearsal")],
                problems: [.notFound, .stateConflict]), use: rehearse)
    }

    @Sendable private func rehearse(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let principal = try await services.answering(request) { $0 }
        try checkController()
        let answer = try await services.rehearsals.rehearse(
            model, channel, by: principal, at: services.now(),
            seed: UInt64.random(in: 0...UInt64.max))
        return Response(answer.json)
    }

    /// A rehearsal has a controller of its own: it could not tell that the one of this process stands still.
    private func checkController() throws(RegistryError) {
        let now = services.now()
        let last = services.pulse.last
        if let last, now - last <= services.pulse.patience { return }
        throw .stateConflict(
            order: "rehearse",
            reason: "controller: expected a tick within the last \(services.pulse.patience) s, got "
                + (last.map { "\(now - $0) s since the last" } ?? "none since the start"))
    }
}
