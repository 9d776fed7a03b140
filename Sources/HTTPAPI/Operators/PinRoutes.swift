import Hummingbird
import Primitives
import RegistryCore

/// `/v1/rollouts/{model}/{channel}/pins`: devices that are held to a version.
struct PinRoutes: Sendable {
    let services: Services

    func add(to table: inout RouteTable) {
        table.add(
            Route(
                .get, "/v1/rollouts/{model}/{channel}/pins", "Pins, with owner and reason",
                .token([.read], .ofModel), [.json("pins")]), use: list)
        table.add(
            Route(
                .put, "/v1/rollouts/{model}/{channel}/pins/{id}", "Pins a device to a version",
                .token([.operate], .ofModel), body: .json(limit: RolloutRoutes.orderLimit),
                [.json("pin")], problems: [.refusedByPolicy, .stateConflict]), use: pin)
        table.add(
            Route(
                .delete, "/v1/rollouts/{model}/{channel}/pins/{id}",
                "Lets a device follow its channel again", .token([.operate], .ofModel),
                parameters: [.query("reason", "goes to the audit log")], [.json("pin")]),
            use: unpin)
    }

    @Sendable private func list(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let pins = try await services.answering(request) {
            try services.pins.list(model, channel, by: $0, at: services.now())
        }
        return Response(["type": "pins", "pins": .array(pins.map(\.json))])
    }

    @Sendable private func pin(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let device = try context.device()
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json(limit: RolloutRoutes.orderLimit)
        let wanted: PinRequest
        do {
            wanted = try PinRequest(json)
        } catch {
            throw RegistryError.malformed(error)
        }
        let pin = try await blocking {
            try services.pins.pin(
                device, wanted, model, channel, by: principal, at: services.now())
        }
        return Response(Self.answer(pin.json))
    }

    @Sendable private func unpin(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let device = try context.device()
        let reason = try request.query("reason", "text") { $0 } ?? ""
        try await services.answering(request) {
            try services.pins.unpin(
                device, model, channel, reason: reason, by: $0, at: services.now())
        }
        return Response(Self.answer(["device": .string(device.description)]))
    }

    private static func answer(_ pin: JSON) -> JSON {
        var fields = pin.object ?? [:]
        fields["type"] = "pin"
        return .object(fields)
    }
}
