import Hummingbird
import Primitives
import RegistryCore

/// `/v1/rollouts`: creating, ordering, looking.
struct RolloutRoutes: Sendable {
    /// The most bytes of an order's body.
    static let orderLimit = 4_096

    let services: Services

    func add(to table: inout RouteTable) {
        let order = RolloutOrder.allCases.map(\.rawValue).joined(separator: ", ")
        table.add(
            Route(
                .post, "/v1/rollouts", "Creates a rollout", .token([.operate], .ofModel),
                body: .json(), [.json("rollout", .created)],
                problems: [
                    .notFound, .refusedByPolicy, .warningsNotAcknowledged, .stateConflict,
                ]), use: create)
        table.add(
            Route(
                .post, "/v1/rollouts/check", "What creating a rollout would meet with",
                .token([.publish, .operate, .read], .ofModel),
                body: .json(limit: RolloutCheckRequest.byteLimit), [.json("rollout_check")],
                problems: [.notFound]), use: check)
        table.add(
            Route(
                .get, "/v1/rollouts", "All rollouts", .token([.read], .registry),
                [.json("rollouts")]), use: list)
        table.add(
            Route(
                .get, "/v1/rollouts/{model}/{channel}", "One rollout: state, gate, timeline",
                .token([.read], .ofModel), [.json("rollout")]), use: status)
        table.add(
            Route(
                .get, "/v1/rollouts/{model}/{channel}/forecast",
                "What each stage can prove with this fleet", .token([.read], .ofModel),
                parameters: [
                    .query("turns_per_day", "of a device; as devices report if absent, or 40")
                ], [.json("forecast")]), use: forecast)
        table.add(
            Route(
                .post, "/v1/rollouts/{model}/{channel}/{order}", "Gives an order: \(order)",
                .token([.operate], .ofModel), body: .json(limit: Self.orderLimit),
                [.json("rollout")], problems: [.stateConflict]), use: self.order)
    }

    @Sendable private func create(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json()
        let order: RolloutRequest
        do {
            order = try RolloutRequest(json)
        } catch {
            throw RegistryError.malformed(error)
        }
        let status = try await blocking {
            try services.rollouts.create(order, by: principal, at: services.now())
        }
        return Response(status.json, status: .created)
    }

    @Sendable private func check(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json(limit: RolloutCheckRequest.byteLimit)
        let asked: RolloutCheckRequest
        do {
            asked = try RolloutCheckRequest(json)
        } catch {
            throw RegistryError.malformed(error)
        }
        let check = try await blocking {
            try services.rollouts.check(asked, by: principal, at: services.now())
        }
        return Response(check.json)
    }

    @Sendable private func list(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let statuses = try await services.answering(request) {
            try services.rollouts.list(by: $0, at: services.now())
        }
        return Response(["type": "rollouts", "rollouts": .array(statuses.map(\.json))])
    }

    @Sendable private func status(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let status = try await services.answering(request) {
            try services.rollouts.status(model, channel, by: $0, at: services.now())
        }
        return Response(status.json)
    }

    @Sendable private func forecast(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let turns = try request.query("turns_per_day", "1 to 100000") { text in
            Int64(text).flatMap { FleetUsage.range.contains($0) ? $0 : nil }
        }
        let forecast = try await services.answering(request) {
            try services.rollouts.forecast(model, channel, turnsPerDay: turns, by: $0)
        }
        return Response(forecast.json)
    }

    @Sendable private func order(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let (model, channel) = try context.line()
        let word = try context.parameters.require("order")
        guard let order = RolloutOrder(rawValue: word) else {
            throw RegistryError.notFound("order", word)
        }
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json(limit: Self.orderLimit)
        let instruction: RolloutInstruction
        do {
            instruction = try RolloutInstruction(order, reading: json)
        } catch {
            throw RegistryError.malformed(error)
        }
        let status = try await blocking {
            try services.rollouts.order(
                instruction, model, channel, by: principal, at: services.now())
        }
        return Response(status.json)
    }
}

extension APIContext {
    /// The model of the path's `{model}`.
    func model() throws -> ModelName {
        let text = try parameters.require("model")
        guard let model = ModelName(text) else { throw RegistryError.notFound("model", text) }
        return model
    }

    /// Model and channel of the path.
    func line() throws -> (ModelName, ChannelName) {
        let text = try parameters.require("channel")
        guard let channel = ChannelName(text) else {
            throw RegistryError.notFound("channel", text)
        }
        return (try model(), channel)
    }

    /// The device of the path's `{id}`.
    func device() throws -> DeviceID {
        let text = try parameters.require("id")
        guard let id = DeviceID(text) else { throw RegistryError.notFound("device", text) }
        return id
    }
}
