import Hummingbird
import Primitives
import RegistryCore

/// What operators look at beside rollouts: models, devices, assignments, the audit log.
struct FleetRoutes: Sendable {
    let services: Services

    func add(to table: inout RouteTable) {
        table.add(
            Route(
                .get, "/v1/models", "Models with their versions", .token([.read], .registry),
                [.json("models")]), use: models)
        table.add(
            Route(
                .get, "/v1/models/{model}", "One model with its versions",
                .token([.read], .ofModel), [.json("model")]), use: model)
        table.add(
            Route(
                .get, "/v1/devices", "Devices in the order of their ids",
                .token([.read], .registry),
                parameters: [
                    .query("after", "a device id; those after it are listed"),
                    .query("limit", "at most so many, 100 if absent"),
                ], [.json("devices")]), use: devices)
        table.add(
            Route(
                .get, "/v1/devices/{id}", "One device: attributes, state, versions",
                .token([.read], .registry), [.json("device")]), use: device)
        table.add(
            Route(
                .delete, "/v1/devices/{id}", "Revokes a device and deletes its rows",
                .token([.operate], .registry),
                parameters: [.query("reason", "goes to the audit log")], [.json("device")]),
            use: revoke)
        table.add(
            Route(
                .get, "/v1/assignments/{id}", "What a device decides, with the trace",
                .token([.read], .ofModel),
                parameters: [
                    .query("model", "the model, required"),
                    .query("channel", "the channel, main if absent"),
                    .query("stage", "a stage of its rollout: what the device would decide in it"),
                ], [.json("assignment")], problems: [.stateConflict]), use: assignment)
        table.add(
            Route(
                .get, "/v1/audit", "Audit records, oldest first", .token([.read], .registry),
                parameters: [
                    .query("after", "the number after which they begin"),
                    .query("limit", "at most so many, 100 if absent"),
                ], [.json("audit")]), use: audit)
    }

    @Sendable private func models(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let models = try await services.answering(request) { try services.models.list(by: $0) }
        return Response(["type": "models", "models": .array(models.map(\.json))])
    }

    @Sendable private func model(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let name = try context.model()
        let model = try await services.answering(request) {
            try services.models.model(name, by: $0)
        }
        return Response(model.json)
    }

    @Sendable private func devices(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let after = try request.query("after", DeviceID.expected, DeviceID.init)
        let limit = try request.query("limit", "a number", { Int($0) }) ?? 100
        let now = services.now()
        let devices = try await services.answering(request) {
            try services.devices.list(after: after, limit: limit, by: $0)
        }
        return Response(
            ["type": "devices", "devices": .array(devices.map { $0.json(at: now) })])
    }

    @Sendable private func device(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let id = try context.device()
        let now = services.now()
        let detail = try await services.answering(request) {
            try services.devices.detail(of: id, by: $0)
        }
        return Response(detail.json(at: now))
    }

    @Sendable private func revoke(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let id = try context.device()
        let reason = try request.query("reason", "text") { $0 } ?? ""
        try await services.answering(request) {
            try services.devices.revoke(id, reason: reason, by: $0, at: services.now())
        }
        return Response(
            ["type": "device", "device": .string(id.description), "state": "revoked"])
    }

    @Sendable private func assignment(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let id = try context.device()
        let model = try request.query("model", ModelName.expected, ModelName.init)
        let channel = try request.query("channel", ChannelName.expected, ChannelName.init)
        let stage = try request.query("stage", AttributeName.expected, AttributeName.init)
        guard let model else {
            throw Problem(
                .malformedRequest, "query 'model': expected \(ModelName.expected), got nothing")
        }
        let answer = try await services.answering(request) {
            try services.assignments.decide(
                for: id, model, channel ?? .main, stage: stage, by: $0, at: services.now())
        }
        return Response(answer.json)
    }

    @Sendable private func audit(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let after = try request.query("after", "a number") { Int64($0) } ?? 0
        let limit = try request.query("limit", "a number") { Int64($0) } ?? 100
        let records = try await services.answering(request) {
            try services.audit.records(after: after, limit: limit, by: $0)
        }
        return Response(["type": "audit", "records": .array(records.compactMap(\.json))])
    }
}

extension Request {
    /// The most bytes of a parameter.
    private static let queryLimit = RolloutDesk.reasonLimit

    /// A parameter of the query string; nil where it is absent.
    ///
    /// - Throws: `Problem` `malformed-request` where it cannot be read.
    func query<Value>(
        _ name: String, _ expected: String, _ make: (String) -> Value?
    ) throws -> Value? {
        guard let text = uri.queryParameters[Substring(name)].map(String.init) else { return nil }
        guard text.utf8.count <= Self.queryLimit else {
            throw Problem(
                .malformedRequest,
                "query '\(name)': expected at most \(Self.queryLimit) bytes, got \(text.utf8.count)"
            )
        }
        guard let value = make(text) else {
            throw Problem(
                .malformedRequest,
                "query '\(name)': expected \(expected), got '\(text.prefix(80))'")
        }
        return value
    }
}
