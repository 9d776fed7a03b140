import HTTPTypes
package import Primitives
import RegistryCore

/// The OpenAPI 3.1 description of the routes, made from the table that the router is made of.
///
/// Formats of bodies are described in `docs/formats`, where they can be told byte by byte.
package struct Description: Sendable {
    private let routes: [Route]

    package init(of routes: [Route]) {
        self.routes = routes
    }

    package var json: JSON {
        var paths: JSONObject = [:]
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            let operations = routes.map {
                ($0.method.rawValue.lowercased(), Self.operation($0))
            }
            paths[Self.template(path)] = .object(JSONObject(operations))
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Fieldfare registry", "version": .string(RegistryVersion.text),
                "description": "Every GET answers HEAD too. Bodies and formats: docs/protocol.md.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths),
            "components": [
                "schemas": ["Problem": Self.problem],
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer", "bearerFormat": "ff_…",
                        "description": """
                        Scopes, each with an optional ':<model>'; admin contains all the others.
                        """,
                        "x-scopes": .array(Scope.Verb.allCases.map { .string($0.rawValue) }),
                    ],
                    "session": [
                        "type": "apiKey", "in": "cookie", "name": .string(SessionCookie.name),
                    ],
                ],
            ],
        ]
    }

    /// OpenAPI has no path parameter for several parts; `{path}` stands for all the rest.
    package static func template(_ path: String) -> String {
        path.split(separator: "**", omittingEmptySubsequences: false).joined(separator: "{path}")
    }

    // MARK: One route

    private static func operation(_ route: Route) -> JSON {
        var fields: JSONObject = [
            "summary": .string(route.summary), "responses": responses(route),
            "security": security(route.access),
        ]
        let parameters = pathParameters(route.path) + route.parameters.map(parameter)
        if !parameters.isEmpty { fields["parameters"] = .array(parameters) }
        if let body = route.body {
            fields["requestBody"] = [
                "required": true,
                "content": .object([body.media: ["schema": schema(of: body)]]),
                "x-limit-bytes": .integer(Int64(body.limit)),
            ]
        }
        return .object(fields)
    }

    private static func schema(of body: Route.Body) -> JSON {
        body.media == "application/json" ? ["type": "object"] : .object([:])
    }

    private static func pathParameters(_ path: String) -> [JSON] {
        template(path).split(separator: "{").dropFirst().map { rest in
            [
                "name": .string(String(rest.prefix { $0 != "}" })), "in": "path",
                "required": true, "schema": ["type": "string"],
            ]
        }
    }

    private static func parameter(_ parameter: Route.Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": parameter.isHeader ? "header" : "query",
            "description": .string(parameter.text), "schema": ["type": "string"],
        ]
    }

    private static func security(_ access: Route.Access) -> JSON {
        switch access {
        case .open, .device: []
        case .dashboard: [["token": ["read"]], ["session": []]]
        case .token(let verbs, _): .array(verbs.map { ["token": [.string($0.rawValue)]] })
        }
    }

    /// By status: the answers and refusals that have it, each with its media type.
    private static func responses(_ route: Route) -> JSON {
        var texts: [Int: [String]] = [:]
        var contents: [Int: JSONObject] = [:]
        for answer in route.answers {
            texts[answer.status.code, default: []].append(answer.status.reasonPhrase)
            guard let media = answer.media else { continue }
            contents[answer.status.code, default: [:]][media] = ["schema": schema(of: answer)]
        }
        for code in route.problems {
            texts[code.status.code, default: []].append(code.rawValue)
            contents[code.status.code, default: [:]]["application/problem+json"] = [
                "schema": ["$ref": "#/components/schemas/Problem"]
            ]
        }
        let responses = texts.map { status, texts -> (String, JSON) in
            var fields: JSONObject = ["description": .string(texts.joined(separator: ", "))]
            fields["content"] = contents[status].map { .object($0) }
            return ("\(status)", .object(fields))
        }
        return .object(JSONObject(responses))
    }

    private static func schema(of answer: Route.Answer) -> JSON {
        guard let type = answer.type else { return .object([:]) }
        return [
            "type": "object", "required": ["type"],
            "properties": ["type": ["const": .string(type)]],
        ]
    }

    /// RFC 9457, with our facts as further members.
    private static var problem: JSON {
        [
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": [
                "type": [
                    "type": "string",
                    "enum": .array(ProblemCode.allCases.map { .string($0.urn) }),
                ],
                "title": ["type": "string"], "status": ["type": "integer"],
                "detail": ["type": "string"], "hint": ["type": "string"],
            ],
        ]
    }
}
