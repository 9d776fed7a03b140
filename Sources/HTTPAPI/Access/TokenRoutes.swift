import Hummingbird
import Primitives
import RegistryCore

/// `/v1/tokens` and `/v1/enrolments`: the secrets of people, programs and new devices.
struct TokenRoutes: Sendable {
    let services: Services

    func add(to table: inout RouteTable) {
        let admin = Route.Access.token([.admin], .registry)
        table.add(
            Route(
                .post, "/v1/tokens", "Makes a token, which is shown once", admin, body: .json(),
                [.json("token", .created)]), use: make)
        table.add(
            Route(.get, "/v1/tokens", "Tokens without their texts", admin, [.json("tokens")]),
            use: list)
        table.add(
            Route(.delete, "/v1/tokens/{id}", "Revokes a token", admin, [.json("token")]),
            use: revoke)
        table.add(
            Route(
                .post, "/v1/enrolments", "Makes one-time enrolment tokens",
                .token([.operate], .registry), body: .json(), [.json("enrolments", .created)]),
            use: enrolments)
    }

    @Sendable private func make(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json()
        let (name, scopes, life) = try readingFields(json) { fields throws(FieldError) in
            let name = try fields.string("name", limit: Tokens.nameLimit)
            var scopes: [Scope] = []
            for element in try fields.array("scopes", limit: Tokens.scopeLimit) {
                guard let scope = element.json.string.flatMap(Scope.init) else {
                    throw FieldError(
                        path: element.path, expected: Scope.expected, found: element.json.text)
                }
                scopes.append(scope)
            }
            return (name, scopes, try fields.optionalInteger("expires_s"))
        }
        let (record, text) = try await blocking {
            var random = SystemRandomNumberGenerator()
            return try services.tokens.make(
                name: name, scopes: scopes, life: life, by: principal, at: services.now(),
                using: &random)
        }
        var fields = Self.json(record).object ?? [:]
        fields["token"] = .string(text.text)
        return Response(.object(fields), status: .created)
    }

    @Sendable private func list(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let records = try await services.answering(request) {
            try services.tokens.list(by: $0)
        }
        return Response(["type": "tokens", "tokens": .array(records.map(Self.json))])
    }

    @Sendable private func revoke(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let text = try context.parameters.require("id")
        try await services.answering(request) { principal in
            guard let id = TokenID(text) else { throw RegistryError.notFound("token", text) }
            try services.tokens.revoke(id, by: principal, at: services.now())
        }
        return Response(["type": "token", "id": .string(text), "state": "revoked"])
    }

    @Sendable private func enrolments(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let principal = try await services.answering(request) { $0 }
        let json = try await request.json()
        let (count, life) = try readingFields(json) { fields throws(FieldError) in
            (try fields.integer("count"), try fields.optionalInteger("expires_s") ?? 86_400)
        }
        let texts = try await blocking {
            var random = SystemRandomNumberGenerator()
            return try services.enrolments.make(
                count: count, life: life, by: principal, at: services.now(), using: &random)
        }
        return Response(
            ["type": "enrolments", "tokens": .array(texts.map { .string($0.text) })],
            status: .created)
    }

    private static func json(_ record: TokenRecord) -> JSON {
        [
            "type": "token", "id": .string(record.id.description), "name": .string(record.name),
            "scopes": .array(record.scopes.map { .string($0.description) }),
            "created": .string(record.created.description),
            "expires": record.expires.map { .string($0.description) } ?? .null,
        ]
    }
}
