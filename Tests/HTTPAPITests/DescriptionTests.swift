import Glibc
import HTTPTypes
import Primitives
import RegistryCore
import Testing

@testable import HTTPAPI
@_spi(Internal) @testable import Hummingbird

/// `/openapi.json` and `docs/protocol.md`, against the router and the enumerations.
struct DescriptionTests {
    private static let methods: Set<String> = ["get", "put", "post", "patch", "delete"]

    private func described(_ api: TestAPI) async throws -> JSON {
        let answer = try await api.ask(.get, "/openapi.json")
        #expect(answer.header("Content-Type") == "application/json")
        return try answer.json
    }

    /// `GET /v1/models`, for all that the description has.
    private func operations(_ description: JSON) throws -> JSONObject {
        var operations: JSONObject = [:]
        for (path, item) in try #require(description["paths"]?.object) {
            for (method, operation) in try #require(item.object) {
                #expect(Self.methods.contains(method))
                operations["\(method.uppercased()) \(path)"] = operation
            }
        }
        return operations
    }

    @Test func `the description has the routes that the router answers, and no others`()
        async throws
    {
        let api = try TestAPI()
        var answered: Set<String> = []
        let router = api.router.router()
        // swift-format-ignore: ReplaceForEachWithForLoop
        router.trie.forEach { node in
            guard let endpoint = node.value else { return }
            for method in endpoint.methods.keys {
                let path = Description.template("\(endpoint.path)")
                answered.insert("\(method.rawValue) \(path)")
            }
        }
        let description = try await described(api)
        #expect(description["openapi"]?.string == "3.1.0")
        #expect(try Set(operations(description).keys) == answered)
        #expect(answered.count == 43)
    }

    @Test func `problem codes and scopes are those of the enumerations`() async throws {
        let description = try await described(TestAPI())
        let components = try #require(description["components"])
        let types = components["schemas"]?["Problem"]?["properties"]?["type"]?["enum"]?.array
        #expect(
            types?.map(\.string)
                == ProblemCode.allCases.map { "urn:fieldfare:problem:\($0.rawValue)" })
        let scheme = try #require(components["securitySchemes"]?["token"])
        let scopes = try #require(scheme["x-scopes"]?.array?.map(\.string))
        #expect(scopes == Scope.Verb.allCases.map(\.rawValue))
        var used: Set<String?> = []
        var told: Set<String> = []
        for (name, operation) in try operations(description) {
            for requirement in try #require(operation["security"]?.array, "\(name)") {
                for scope in requirement["token"]?.array ?? [] { used.insert(scope.string) }
            }
            for (status, response) in try #require(operation["responses"]?.object)
            where response["content"]?["application/problem+json"] != nil {
                for word in (response["description"]?.string ?? "").split(separator: ", ") {
                    guard let code = ProblemCode(rawValue: String(word)) else { continue }
                    #expect("\(code.status.code)" == status)
                    told.insert(code.rawValue)
                }
            }
        }
        #expect(used == Set(scopes))
        // The registry itself sets no rates, a proxy in front of it does; and a method that is not there is no route's.
        let elsewhere = [ProblemCode.tooManyRequests, .methodNotAllowed].map(\.rawValue)
        #expect(told == Set(ProblemCode.allCases.map(\.rawValue)).subtracting(elsewhere))
    }

    @Test func `every parameter of a path is described`() async throws {
        for (name, operation) in try operations(try await described(TestAPI())) {
            let braces = name.split(separator: "{").dropFirst().map {
                String($0.prefix { $0 != "}" })
            }
            let described = (operation["parameters"]?.array ?? [])
                .filter { $0["in"]?.string == "path" }.compactMap { $0["name"]?.string }
            #expect(described == braces, "\(name)")
        }
    }

    // MARK: The page about the protocol

    private func page() throws -> String {
        let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = unsafe fopen("/\(path)/docs/protocol.md", "r")
        defer { if let file = unsafe file { unsafe fclose(file) } }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try #require(unsafe file.map { unsafe fread(&bytes, 1, bytes.count, $0) })
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func `the page lists every code with its status`() throws {
        let lines = try page().split(separator: "\n")
        var listed: [String: Int] = [:]
        for line in lines {
            let cells = line.split(separator: "|").map { $0.filter { $0 != " " && $0 != "`" } }
            if cells.count == 3, let status = Int(cells[1]), status >= 400 {
                listed[cells[0]] = status
            }
        }
        let codes = ProblemCode.allCases.map { ($0.rawValue, $0.status.code) }
        #expect(listed == Dictionary(uniqueKeysWithValues: codes))
    }

    @Test func `the page tells of every route, and of none that is not there`() throws {
        let pattern = try Regex("`(GET|POST|PUT|PATCH|DELETE) (/[^`? ]*)")
        let told = try page().matches(of: pattern).map { match in
            "\(match.output[1].substring ?? "") \(match.output[2].substring ?? "")"
        }
        let routes = try TestAPI().router.table().routes
        let files = ["/tuf/", "/targets/", "/blobs/"]
        func isFile(_ route: String) -> Bool { files.contains { route.contains(" \($0)") } }
        #expect(
            Set(told.filter { !isFile($0) })
                == Set(routes.map { "\($0.method.rawValue) \($0.path)" }.filter { !isFile($0) }))
        for file in files { #expect(told.contains { $0.hasPrefix("GET \(file)") }) }
    }
}
