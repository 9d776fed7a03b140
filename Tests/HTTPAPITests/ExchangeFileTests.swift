import Glibc
import HTTPTypes
import HummingbirdTesting
import PosixFiles
import Primitives
import RegistryCore
import RegistryTestSupport
import TestSupport
import Testing

/// The exchanges of `fixtures/http`, through the router; keys, clock and tokens are the same in every run.
struct ExchangeFileTests {
    private static let folder = "fixtures/http"
    private static let names = [
        "operations.http", "poll.http", "rollouts.http", "uploads.http",
    ]

    /// `FIELDFARE_REGENERATE=1` writes down what is answered instead of comparing it.
    @Test(arguments: names)
    func `every request is answered as its file says`(name: String) async throws {
        let file = try #require(ExchangeFile(try Self.text(name)))
        let found = try await Self.run(file)
        if unsafe getenv("FIELDFARE_REGENERATE") != nil {
            try Directory(opening: RepositoryFiles.path(Self.folder)).replace(
                try #require(TargetPath(name)), with: Array("\(found)".utf8))
            return
        }
        for (expected, found) in zip(file.exchanges, found.exchanges) {
            #expect(found == expected, "\(expected.title)")
        }
    }

    @Test func `all files are run, and are written as they are read`() throws {
        let listed = try Directory(opening: RepositoryFiles.path(Self.folder)).list()
        #expect(listed.map(\.name).sorted() == Self.names)
        var exchanges = 0
        for name in Self.names {
            let text = try Self.text(name)
            let file = try #require(ExchangeFile(text), "\(name)")
            #expect("\(file)" == text)
            exchanges += file.exchanges.count
        }
        #expect(exchanges == 45)
    }

    @Test(arguments: [
        "### t\nGET /\n\nHTTP/1.1 200\n", "# Scene: nowhere\n", "# Scene: empty\n\nGET /\n",
        "# Scene: empty\n\n### t\nGET /\n", "# Scene: empty\n\n### t\nGET /\n\nHTTP/1.1 x\n",
        "# Scene: empty\n\n### t\nGET /\nno field\n\nHTTP/1.1 200\n",
    ])
    func `what is no file of exchanges is not read as one`(text: String) {
        #expect(ExchangeFile(text) == nil)
    }

    private static func text(_ name: String) throws -> String {
        let bytes = try #require(RepositoryFiles.bytes("\(folder)/\(name)"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The file with what is really answered; the tokens of its requests come from a seed.
    private static func run(_ file: ExchangeFile) async throws -> ExchangeFile {
        let api = try TestAPI()
        if file.scene != .empty { try api.registry.found(at: api.now) }
        if file.scene == .release { try api.registry.release("1.0.0", replaces: [], at: api.now) }
        var tokens: [String: String] = [:]
        var random = SeededGenerator(seed: 1)
        var answered = file
        for (index, exchange) in file.exchanges.enumerated() {
            var headers: [String: String] = [:]
            for field in exchange.request.fields {
                headers[field.name] = try Self.filled(field.value) { scope in
                    if let token = tokens[scope] { return token }
                    let made = try Tokens(store: api.registry.store).make(
                        name: scope, scopes: [try #require(Scope(scope))], life: nil,
                        by: api.registry.admin, at: api.now, using: &random)
                    tokens[scope] = made.text.text
                    return made.text.text
                }
            }
            let body = exchange.request.body.joined(separator: "\n")
            let response = try await api.ask(
                exchange.method, exchange.target, headers: headers,
                body: body.isEmpty ? nil : Array(body.utf8))
            answered.exchanges[index].status = Int(response.status.code)
            for (number, field) in exchange.answer.fields.enumerated() {
                answered.exchanges[index].answer.fields[number].value =
                    response.header(field.name) ?? "none"
            }
            if !exchange.answer.body.isEmpty {
                answered.exchanges[index].answer.body =
                    response.text.split(separator: "\n").map(String.init)
            }
        }
        return answered
    }

    /// A field's value with what stands in braces replaced.
    private static func filled(
        _ value: String, _ fill: (String) throws -> String
    ) throws -> String {
        guard let match = value.firstMatch(of: /\{([a-z:-]+)\}/) else { return value }
        return value.replacing(match.0, with: try fill(String(match.1)))
    }
}
