import Cryptography
import HTTPAPI
import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import TUF
import Testing

/// Who may do what, for every route that there is.
struct AuthorisationTableTests {
    /// A request that is well formed, whether or not what it names is there.
    struct Sample {
        let path: String
        var headers: [String: String] = [:]
        var body: [UInt8]?
    }

    private static let device = String(repeating: "0", count: 32)

    private func sample(of route: Route, _ api: TestAPI) throws -> Sample {
        let id =
            switch true {
            case route.path.hasPrefix("/v1/tokens"): "0123456789abcdef"
            case route.path.hasPrefix("/v1/uploads"): String(repeating: "a", count: 64)
            default: Self.device
            }
        let values = [
            "{id}": id, "{model}": "commands-en", "{channel}": "main", "{order}": "pause",
            "{role}": "model.commands-en", "{name}": "timestamp.json",
            "{digest}": String(repeating: "b", count: 64), "**": "policies/none.json",
        ]
        var path = route.path
        for (name, value) in values {
            path = path.split(separator: name, omittingEmptySubsequences: false)
                .joined(separator: value)
        }
        var sample = Sample(path: path)
        switch (route.method, route.path) {
        case (.get, "/v1/assignments/{id}"):
            sample = Sample(path: path + "?model=commands-en&channel=main")
        case (.patch, _): sample.headers["Upload-Offset"] = "0"
        case (.post, "/v1/roles/{role}"):
            var targets = Targets(expires: api.now + 30 * TestRegistry.day)
            targets.targets = [:]
            sample.body = TestRegistry.signed(
                targets, of: .model(api.registry.model), by: [TestRegistry.releaseKeys[0]])
            return sample
        default: break
        }
        sample.body = try body(of: route, api)?.bytes
        return sample
    }

    private func body(of route: Route, _ api: TestAPI) throws -> JSON? {
        guard route.body != nil else { return nil }
        switch route.path {
        case "/v1/uploads":
            return ["sha256": .string(String(repeating: "c", count: 64)), "length": 1]
        case "/v1/rollouts":
            return [
                "model": "commands-en", "channel": "main", "candidate": "1.0.0",
                "policy": "standard",
            ]
        case "/v1/rollouts/check": return try api.policyToCheck()
        case "/v1/rollouts/{model}/{channel}/{order}": return ["reason": "a test"]
        case "/v1/rollouts/{model}/{channel}/pins/{id}":
            return ["version": "1.0.0", "expires": 2_000_000_000, "owner": "a", "reason": "b"]
        case "/v1/tokens": return ["name": "a", "scopes": ["read"]]
        case "/v1/enrolments": return ["count": 1, "expires_s": 60]
        default: return [:]
        }
    }

    /// Each route that asks for a token, with its verbs and reach.
    private static func guarded(
        _ api: TestAPI
    ) -> [(route: Route, verbs: [Scope.Verb], reach: Route.Access.Reach)] {
        api.router.table().routes.compactMap { route in
            switch route.access {
            case .token(let verbs, let reach): (route, verbs, reach)
            case .dashboard: (route, [.read], .registry)
            case .open, .device: nil
            }
        }
    }

    private func ask(_ api: TestAPI, _ route: Route, token: String?) async throws -> TestResponse {
        let sample = try sample(of: route, api)
        return try await api.ask(
            route.method, sample.path, token: token, headers: sample.headers, body: sample.body)
    }

    @Test func `without a token, or with an unknown one, every guarded route answers 401`()
        async throws
    {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        let expired = try api.token("admin")
        let unknown = "ff_" + String(repeating: "A", count: 43)
        let guarded = Self.guarded(api)
        #expect(guarded.count == 32)
        for (route, _, _) in guarded {
            for token in [nil, unknown, String(expired.dropLast()), "fe_" + expired.dropFirst(3)] {
                let answer = try await ask(api, route, token: token)
                #expect(answer.status == .unauthorized, "\(route.method) \(route.path)")
                #expect(answer.header("WWW-Authenticate") == "Bearer")
            }
        }
    }

    @Test func `with another scope every guarded route answers 403 and names the one it needs`()
        async throws
    {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        var tokens: [Scope.Verb: String] = [:]
        for verb in Scope.Verb.allCases { tokens[verb] = try api.token(verb.rawValue) }
        for (route, verbs, _) in Self.guarded(api) {
            for (verb, token) in tokens where !verbs.contains(verb) && verb != .admin {
                let answer = try await ask(api, route, token: token)
                let name: Comment = "\(route.method) \(route.path) with \(verb)"
                #expect(answer.status == .forbidden, name)
                #expect(answer.problem == "forbidden", name)
                let needs = try answer.json["needs"]?.string ?? ""
                let scope = try #require(Scope(needs), name)
                #expect(verbs.contains(scope.verb), name)
            }
        }
    }

    @Test func `with the right scope no route answers 401 or 403`() async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        for (route, verbs, reach) in Self.guarded(api) {
            var scopes = (verbs + [.admin]).map(\.rawValue)
            if reach != .registry { scopes += verbs.map { "\($0.rawValue):commands-en" } }
            if reach == .ofAnyModel { scopes += verbs.map { "\($0.rawValue):other" } }
            for scope in scopes {
                // Revoking a token needs one that stays, and a proposal can be posted once.
                let fresh = try TestAPI()
                try fresh.registry.found(at: fresh.now)
                let answer = try await ask(fresh, route, token: try fresh.token(scope))
                let name: Comment = "\(route.method) \(route.path) with \(scope)"
                #expect(![.unauthorized, .forbidden].contains(answer.status), name)
                #expect(answer.status != .internalServerError, name)
            }
        }
    }

    @Test func `a scope of another model, or of one where all are meant, does not do`()
        async throws
    {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        for (route, verbs, reach) in Self.guarded(api) where reach != .ofAnyModel {
            let model = reach == .registry ? "commands-en" : "other"
            for verb in verbs {
                let token = try api.token("\(verb.rawValue):\(model)", "admin:\(model)")
                let answer = try await ask(api, route, token: token)
                let name: Comment = "\(route.method) \(route.path) with \(verb):\(model)"
                #expect(answer.status == .forbidden, name)
                let needs = try answer.json["needs"]?.string
                let expected = verbs.map {
                    reach == .registry ? $0.rawValue : "\($0.rawValue):commands-en"
                }
                #expect(needs.map(expected.contains) == true, name)
            }
        }
    }

    @Test func `open routes ask nobody for a token`() async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        let open = api.router.table().routes.filter { $0.access == .open && $0.method == .get }
        #expect(open.count == 7)
        for route in open {
            let answer = try await ask(api, route, token: nil)
            #expect(![.unauthorized, .forbidden].contains(answer.status), "\(route.path)")
        }
    }

    @Test func `a token that was revoked or has expired opens nothing`() async throws {
        let api = try TestAPI()
        let admin = try api.token("admin")
        let made = try await api.ask(
            .post, "/v1/tokens", token: admin,
            json: ["name": "short", "scopes": ["read"], "expires_s": 60])
        let token = try #require(try made.json["token"]?.string)
        let id = try #require(try made.json["id"]?.string)
        #expect(try await api.ask(.get, "/v1/models", token: token).status == .ok)
        api.now = api.now + 60
        #expect(try await api.ask(.get, "/v1/models", token: token).status == .unauthorized)
        api.now = api.now + -30
        #expect(try await api.ask(.delete, "/v1/tokens/\(id)", token: admin).status == .ok)
        #expect(try await api.ask(.get, "/v1/models", token: token).status == .unauthorized)
        #expect(try await api.ask(.delete, "/v1/tokens/\(id)", token: admin).status == .notFound)
    }
}
