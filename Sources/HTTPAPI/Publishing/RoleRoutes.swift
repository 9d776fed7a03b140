import Hummingbird
import NIOCore
import Primitives
import RegistryCore
import TUF

/// `/v1/roles`: signed metadata in, held until its threshold is met.
struct RoleRoutes: Sendable {
    let services: Services

    func add(to table: inout RouteTable) {
        let reading = Route.Access.token([.publish, .sign, .read], .ofModel)
        table.add(
            Route(
                .get, "/v1/roles", "Roles: live version, keys, proposal",
                .token([.read], .registry), [.json("roles")]), use: list)
        table.add(
            Route(
                .get, "/v1/roles/{role}", "One role: live version, keys, proposal", reading,
                [.json("role")]), use: standing)
        table.add(
            Route(
                .get, "/v1/roles/{role}/proposal", "The proposal's bytes", reading,
                [.file("application/json")]), use: proposal)
        table.add(
            Route(
                .delete, "/v1/roles/{role}/proposal", "Withdraws the open proposal",
                .token([.sign], .ofModel), [.json("proposal")]), use: withdraw)
        table.add(
            Route(
                .post, "/v1/roles/{role}", "Takes signed metadata; live at its threshold",
                .token([.publish, .sign], .ofModel), body: .json(limit: Roles.byteLimit),
                [.json("role"), .json("role", .accepted)],
                problems: [
                    .versionConflict, .proposalConflict, .existsWithOtherBytes, .refusedByTrust,
                    .refusedByPolicy, .insufficientStorage,
                ]), use: post)
    }

    private static func role(_ context: APIContext) throws -> RoleName {
        let text = try context.parameters.require("role")
        guard let role = RoleName(text) else { throw RegistryError.notFound("role", text) }
        return role
    }

    @Sendable private func list(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let roles = try await services.answering(request) { try services.roles.list(by: $0) }
        return Response(["type": "roles", "roles": .array(roles.map(\.json))])
    }

    @Sendable private func standing(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let role = try Self.role(context)
        let standing = try await services.answering(request) {
            try services.roles.standing(of: role, by: $0)
        }
        return Response(standing.json)
    }

    @Sendable private func proposal(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let role = try Self.role(context)
        let bytes = try await services.answering(request) {
            try services.roles.proposal(of: role, by: $0)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    @Sendable private func withdraw(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let role = try Self.role(context)
        try await services.answering(request) {
            try services.roles.withdrawProposal(of: role, by: $0, at: services.now())
        }
        return Response([
            "type": "proposal", "role": .string(role.description), "state": "withdrawn",
        ])
    }

    @Sendable private func post(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let role = try Self.role(context)
        let principal = try await services.answering(request) { $0 }
        let bytes = try await request.bytes(limit: Roles.byteLimit)
        let posting = try await blocking {
            try services.roles.post(bytes, as: role, by: principal, at: services.now())
        }
        var fields = posting.standing.json.object ?? [:]
        switch posting {
        case .live:
            fields["state"] = "live"
            return Response(.object(fields))
        case .held:
            fields["state"] = "held"
            return Response(.object(fields), status: .accepted)
        }
    }
}
