import BlobFiles
import Cryptography
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosixFiles
import Primitives
import RegistryCore
import RegistryDatabase
import RegistryTestSupport
import Rollouts
import Synchronization
import TestSupport
import Testing

/// A registry on SQLite and a folder of blobs, asked through its router.
final class TestAPI: Sendable {
    static let start = UTCTime(clamping: 1_764_000_000)

    let folder: ScratchFolder
    let registry: TestRegistry
    let router: RegistryRouter
    let metrics = RequestMetrics()
    let polls: PollAnswers
    /// Of the controller that the tests are: it beats whenever they set the time.
    let pulse = ControllerPulse()
    private let clock: Clock

    /// What the registry takes for the time of day.
    private final class Clock: Sendable {
        let time = Mutex(TestAPI.start)
    }

    init(isDashboardOpen: Bool = false) throws {
        folder = ScratchFolder("http-api", isInMemory: true)
        let store = try LiveTimestamp(SQLiteStore(path: folder.path("registry.sqlite")))
        let blobs = try BlobFolder(Directory(opening: folder.path))
        registry = TestRegistry(store: store, blobs: blobs)
        let clock = Clock()
        self.clock = clock
        let services = Services(
            store: store, blobs: blobs, keys: TestRegistry.onlineKeys,
            pulse: pulse, now: { clock.time.withLock { $0 } })
        pulse.beat(at: Self.start)
        polls = PollAnswers(services: services, metrics: metrics)
        router = RegistryRouter(
            services: services, metrics: metrics,
            fleet: FleetMetrics(services: services) { 1 << 30 },
            isDashboardOpen: isDashboardOpen)
    }

    var now: UTCTime {
        get { clock.time.withLock { $0 } }
        set {
            clock.time.withLock { $0 = newValue }
            pulse.beat(at: newValue)
        }
    }

    /// A token with these scopes.
    func token(_ scopes: String..., name: String = "test") throws -> String {
        var random = SystemRandomNumberGenerator()
        return try Tokens(store: registry.store).make(
            name: name, scopes: scopes.map { try #require(Scope($0)) }, life: nil,
            by: registry.admin, at: now, using: &random
        ).text.text
    }

    /// A body of `POST /v1/rollouts/check`: the policy of a first release that is not published.
    func policyToCheck() throws -> JSON {
        let version = try #require(SemanticVersion("9.0.0"))
        let bundle = try SampleBundle(registry.model, version)
        return ["policy": try registry.policy(of: bundle, replaces: [], at: now).json]
    }

    // MARK: Asking, and expecting that the answer is described

    @discardableResult
    func ask(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil,
        headers: [String: String] = [:], body: [UInt8]? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestResponse {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        let sent = fields
        let response = try await Application(router: router.router()).test(.router) { client in
            try await client.execute(
                uri: path, method: method, headers: sent,
                body: body.map { ByteBuffer(bytes: $0) })
        }
        expectDescribed(response, to: method, path, at: location)
        return response
    }

    @discardableResult
    func ask(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, json: JSON,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestResponse {
        try await ask(
            method, path, token: token, headers: ["Content-Type": "application/json"],
            body: json.bytes, at: location)
    }

    // MARK: Uploading

    /// Opens an upload of these bytes, and returns its path.
    func upload(
        _ bytes: [UInt8], digest: SHA256Digest? = nil, token: String
    ) async throws -> String {
        let digest = digest ?? SHA256.digest(of: bytes)
        let opened = try await ask(
            .post, "/v1/uploads", token: token,
            json: ["sha256": .string(digest.hex), "length": .integer(Int64(bytes.count))])
        return "/v1/uploads/\(try #require(try opened.json["id"]?.string))"
    }
}

extension TestResponse {
    var bytes: [UInt8] { Array(body.readableBytesView) }
    var text: String { String(buffer: body) }

    var json: JSON {
        get throws { try JSON(parsing: bytes, limit: 16 << 20) }
    }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// The code of its problem details; nil for an answer that is none.
    var problem: String? {
        let prefix = "urn:fieldfare:problem:"
        guard header("Content-Type") == "application/problem+json",
            let json = try? json, let type = json["type"]?.string, type.hasPrefix(prefix),
            json["status"]?.integer == Int64(status.code)
        else { return nil }
        return String(type.dropFirst(prefix.count))
    }
}
