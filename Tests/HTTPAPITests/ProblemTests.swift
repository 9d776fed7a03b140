import Cryptography
import HTTPAPI
import HTTPTypes
import HummingbirdTesting
import ModelBundle
import Primitives
import RegistryCore
import RegistryTestSupport
import Rollouts
import TUF
import Telemetry
import Testing

/// Every refusal as its asker sees it: status, code, facts.
struct ProblemTests {
    private static let zeros = String(repeating: "0", count: 64)

    private func founded() throws -> TestAPI {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        return api
    }

    // MARK: Requests that cannot be read

    @Test(arguments: [
        ("{", "request"), ("[]", "object"), (#"{"sha256":"x"}"#, "sha256"),
        (#"{"sha256":"\#(zeros)"}"#, "length"),
        (#"{"sha256":"\#(zeros)","length":1,"colour":"red"}"#, "colour"),
        (#"{"sha256":"\#(zeros)","length":1,"length":1}"#, "length"),
        (#"{"sha256":"\#(zeros)","length":1.0}"#, "integer"),
        (#"{"sha256":"\#(zeros)","length":-1}"#, "length"),
    ])
    func `a body that is not what the route reads is refused, and the detail names why`(
        body: String, word: String
    ) async throws {
        let api = try TestAPI()
        let answer = try await api.ask(
            .post, "/v1/uploads", token: try api.token("publish"), body: Array(body.utf8))
        #expect(answer.problem == "malformed-request", "\(body)")
        #expect(answer.status == .badRequest)
        #expect(try answer.json["detail"]?.string?.contains(word) == true, "\(answer.text)")
    }

    @Test(arguments: ["/v1/devices", "/v1/rollouts/commands-en/main/pins"])
    func `a reason in a query is refused for what is wrong with it`(path: String) async throws {
        let api = try founded()
        let token = try api.token("operate")
        for (reason, detail) in [
            (
                String(repeating: "x", count: 201),
                "query 'reason': expected at most 200 bytes, got 201"
            ),
            (
                "two%0Alines",
                "request: field 'reason': expected text of one line, got a control character"
            ),
        ] {
            let answer = try await api.ask(
                .delete, "\(path)/\(Self.zeros.prefix(32))?reason=\(reason)", token: token)
            #expect(answer.problem == "malformed-request", "\(answer.text)")
            #expect(try answer.json["detail"]?.string == detail)
        }
        let answer = try await api.ask(
            .delete, "\(path)/\(Self.zeros.prefix(32))", token: token)
        #expect(answer.problem == "not-found", "without a reason: \(answer.text)")
    }

    @Test(arguments: ["targets", "root", "*", "a/b", ""])
    func `a model is not named as a role or a pattern`(name: String) async throws {
        let api = try founded()
        let token = try api.token("admin")
        let bodies: [(String, String, JSON)] = [
            (
                "/v1/rollouts", "model",
                ["model": .string(name), "candidate": "1.0.0", "policy": "standard"]
            ),
            (
                "/v1/tokens", "scopes[0]",
                ["name": "a", "scopes": [.string("publish:\(name)")]]
            ),
        ]
        for (path, field, body) in bodies {
            let answer = try await api.ask(.post, path, token: token, json: body)
            #expect(answer.problem == "malformed-request", "\(path) \(answer.text)")
            let detail = try answer.json["detail"]?.string ?? ""
            #expect(detail.hasPrefix("request: field '\(field)': expected "), "\(detail)")
            #expect(detail.contains(", got "), "\(detail)")
        }
        let rollouts = try await api.ask(.get, "/v1/rollouts", token: token)
        #expect(try rollouts.json["rollouts"]?.array == [])
    }

    @Test func `unknown fields are refused by every route that reads JSON`() async throws {
        let api = try founded()
        let token = try api.token("admin")
        let device = TestDevice("one", model: api.registry.model)
        let pin = "/v1/rollouts/commands-en/main/pins/\(device.id)"
        let bodies: [(String, JSON)] = [
            (
                pin,
                [
                    "version": "1.0.0", "expires": .integer(api.now.seconds + 60), "owner": "o",
                    "reason": "r",
                ]
            ),
            ("/v1/uploads", ["sha256": .string(Self.zeros), "length": 1]),
            ("/v1/tokens", ["name": "a", "scopes": ["read"]]),
            ("/v1/enrolments", ["count": 1]),
            (
                "/v1/rollouts",
                ["model": "commands-en", "candidate": "1.0.0", "policy": "standard"]
            ),
            ("/v1/rollouts/check", try api.policyToCheck()),
            ("/v1/rollouts/commands-en/main/pause", ["reason": "x"]),
            ("/v1/devices", device.enrolment(token: "fe_" + String(repeating: "A", count: 43))),
            ("/v1/reports", device.batch()),
        ]
        let routes = api.router.table().routes
        let reading = routes.filter {
            $0.body?.media == "application/json" && $0.path != "/v1/roles/{role}"
        }
        #expect(bodies.count == reading.count)
        for (path, body) in bodies {
            var fields = body.object ?? [:]
            fields["colour"] = "red"
            let answer = try await api.ask(
                path == pin ? .put : .post, path, token: token, json: .object(fields))
            #expect(answer.problem == "malformed-request", "\(path)")
            #expect(answer.text.contains("colour"), "\(path) \(answer.text)")
        }
    }

    @Test func `a body over its limit is refused with the limit, by each route`() async throws {
        let api = try founded()
        let token = try api.token("admin")
        let opened = try await api.upload([1], token: token)
        for route in api.router.table().routes {
            guard let body = route.body else { continue }
            let path =
                switch route.path {
                case "/v1/uploads/{id}": opened
                case "/v1/roles/{role}": "/v1/roles/model.commands-en"
                case "/v1/rollouts/{model}/{channel}/{order}":
                    "/v1/rollouts/commands-en/main/pause"
                case "/v1/rollouts/{model}/{channel}/pins/{id}":
                    "/v1/rollouts/commands-en/main/pins/\(Self.zeros.prefix(32))"
                default: route.path
                }
            let bytes = [UInt8](repeating: 0x20, count: body.limit + 1)
            let answer = try await api.ask(
                route.method, path, token: token, headers: ["Upload-Offset": "0"], body: bytes)
            #expect(answer.status == .contentTooLarge, "\(path)")
            #expect(answer.problem == "too-large", "\(path)")
            #expect(try answer.json["limit"]?.integer == Int64(body.limit), "\(path)")
        }
    }

    @Test(arguments: [
        "/v1/devices?after=xyz", "/v1/devices?limit=many", "/v1/audit?after=a",
        "/v1/assignments/\(String(repeating: "0", count: 32))",
        "/v1/assignments/\(String(repeating: "0", count: 32))?model=Targets",
    ])
    func `a query that cannot be read is refused`(path: String) async throws {
        let api = try founded()
        let answer = try await api.ask(.get, path, token: try api.token("read"))
        #expect(answer.problem == "malformed-request", "\(path)")
    }

    @Test(arguments: [
        "/v1/models/unknown", "/v1/models/*", "/v1/models/..%2ftargets",
        "/v1/rollouts/commands-en/main", "/v1/devices/1234", "/v1/roles/nobody", "/v2",
        "/v1/roles/model.commands-en/proposal", "/v1/uploads/\(zeros)",
    ])
    func `what is not there is not found`(path: String) async throws {
        let api = try founded()
        let answer = try await api.ask(.get, path, token: try api.token("admin"))
        #expect(answer.problem == "not-found", "\(path) \(answer.text)")
        #expect(answer.status == .notFound)
    }

    @Test(arguments: [
        (HTTPRequest.Method.put, "/v1/models", "GET, HEAD"),
        (.delete, "/v1/rollouts", "POST, GET, HEAD"), (.post, "/tuf/root.json", "GET, HEAD"),
        (.delete, "/targets/rollouts/commands-en/main.json", "GET, HEAD"),
        (.get, "/v1/rollouts/commands-en/main/pause", "POST"),
    ])
    func `a method that a path does not have is answered with those that it has`(
        method: HTTPRequest.Method, path: String, allowed: String
    ) async throws {
        let api = try founded()
        let answer = try await api.ask(method, path, token: try api.token("admin"))
        #expect(answer.problem == "method-not-allowed")
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.header("Allow") == allowed)
        #expect(
            try answer.json["detail"]?.string
                == "method of '\(path)': expected \(allowed), got \(method)")
    }

    // MARK: Uploads

    @Test func `an upload goes on where it stopped, and not elsewhere`() async throws {
        let api = try TestAPI()
        let token = try api.token("publish")
        let bytes = Array("a file in two parts".utf8)
        let path = try await api.upload(bytes, token: token)
        let first = try await api.ask(
            .patch, path, token: token, headers: ["Upload-Offset": "0"], body: Array(bytes[..<6]))
        #expect(try first.json["offset"]?.integer == 6)
        #expect(first.header("Upload-Offset") == "6")
        for offset in ["0", "7", "100"] {
            let answer = try await api.ask(
                .patch, path, token: token, headers: ["Upload-Offset": offset], body: [1])
            #expect(answer.status == .conflict)
            #expect(answer.problem == "offset-conflict")
            #expect(answer.header("Upload-Offset") == "6")
            #expect(try answer.json["reached"]?.integer == 6)
        }
        for offset in ["-1", "x", "9223372036854775808"] {
            let answer = try await api.ask(
                .patch, path, token: token, headers: ["Upload-Offset": offset], body: [1])
            #expect(answer.problem == "malformed-request", "\(offset)")
        }
        let early = try await api.ask(.put, path, token: token)
        #expect(early.problem == "offset-conflict")
        let long = try await api.ask(
            .patch, path, token: token, headers: ["Upload-Offset": "6"],
            body: [UInt8](repeating: 1, count: bytes.count))
        #expect(long.problem == "too-large")
        #expect(try long.json["limit"]?.integer == Int64(bytes.count))
        try await api.ask(
            .patch, path, token: token, headers: ["Upload-Offset": "6"], body: Array(bytes[6...]))
        let standing = try await api.ask(.get, path, token: token)
        #expect(standing.header("Upload-Offset") == "\(bytes.count)")
        let done = try await api.ask(.put, path, token: token)
        #expect(done.status == .created)
        #expect(try done.json["state"]?.string == "present")
        let digest = SHA256.digest(of: bytes).hex
        #expect(try await api.ask(.get, "/blobs/sha256/\(digest)").bytes == bytes)
        let again = try await api.ask(
            .post, "/v1/uploads", token: token,
            json: ["sha256": .string(digest), "length": .integer(Int64(bytes.count))])
        #expect(again.status == .ok)
        #expect(try again.json["state"]?.string == "present")
    }

    @Test func `an upload with other bytes than its digest is refused, and gone`() async throws {
        let api = try TestAPI()
        let token = try api.token("publish")
        let path = try await api.upload(
            [1, 2, 3], digest: SHA256.digest(of: [9]), token: token)
        try await api.ask(
            .patch, path, token: token, headers: ["Upload-Offset": "0"], body: [1, 2, 3])
        let answer = try await api.ask(.put, path, token: token)
        #expect(answer.status == .unprocessableContent)
        #expect(answer.problem == "digest-mismatch")
        #expect(try answer.json["expected"]?.string == SHA256.digest(of: [9]).hex)
        #expect(try answer.json["found"]?.string == SHA256.digest(of: [1, 2, 3]).hex)
        #expect(try await api.ask(.get, path, token: token).problem == "not-found")
        let blob = "/blobs/sha256/\(SHA256.digest(of: [9]).hex)"
        #expect(try await api.ask(.get, blob).problem == "not-found")
    }

    @Test func `an upload is its owner's alone`() async throws {
        let api = try TestAPI()
        let path = try await api.upload([1], token: try api.token("publish"))
        let other = try api.token("publish")
        #expect(try await api.ask(.get, path, token: other).problem == "not-found")
        let answer = try await api.ask(
            .patch, path, token: other, headers: ["Upload-Offset": "0"], body: [1])
        #expect(answer.problem == "not-found")
    }

    // MARK: Metadata

    private func post(
        _ api: TestAPI, _ targets: Targets, by signers: [Ed25519PrivateKey],
        scope: String = "publish"
    ) async throws -> TestResponse {
        try await api.ask(
            .post, "/v1/roles/model.commands-en", token: try api.token(scope),
            body: TestRegistry.signed(targets, of: .model(api.registry.model), by: signers))
    }

    @Test func `metadata is held until its threshold is met, then live`() async throws {
        let api = try founded()
        let targets = Targets(expires: api.now + 30 * TestRegistry.day)
        let keys = TestRegistry.releaseKeys
        let held = try await post(api, targets, by: [keys[0]])
        #expect(held.status == .accepted)
        #expect(try held.json["state"]?.string == "held")
        #expect(try held.json["proposal"]?["missing"]?.integer == 1)
        let second = try await post(api, targets, by: [keys[1]])
        #expect(second.problem == "forbidden")
        #expect(try second.json["needs"]?.string == "sign:commands-en")
        let live = try await post(api, targets, by: [keys[1]], scope: "sign")
        #expect(live.status == .ok)
        #expect(try live.json["state"]?.string == "live")
        let same = try await post(api, targets, by: keys, scope: "sign")
        #expect(try same.json["state"]?.string == "live")
        let other = Targets(expires: api.now + 31 * TestRegistry.day)
        let again = try await post(api, other, by: keys, scope: "sign")
        #expect(again.problem == "version-conflict")
        #expect(again.status == .conflict)
        #expect(try again.json["live"]?.integer == 1)
        #expect(try again.json["offered"]?.integer == 1)
    }

    @Test func `metadata that no client would trust is refused`() async throws {
        let api = try founded()
        let targets = Targets(expires: api.now + 30 * TestRegistry.day)
        let stranger = TestRegistry.rootKeys[0]
        #expect(try await post(api, targets, by: [stranger]).problem == "refused-by-trust")
        let expired = Targets(expires: api.now + -1)
        let keys = [TestRegistry.releaseKeys[0]]
        #expect(try await post(api, expired, by: keys).problem == "refused-by-trust")
        for role in ["snapshot", "timestamp", "plans.commands-en", "model.unknown"] {
            let answer = try await api.ask(
                .post, "/v1/roles/\(role)", token: try api.token("admin"),
                body: TestRegistry.signed(targets, of: .model(api.registry.model), by: keys))
            #expect(answer.status == .unprocessableContent, "\(role) \(answer.text)")
        }
    }

    @Test func `another proposal may add to the open one, not leave out of it`() async throws {
        let api = try founded()
        let model = api.registry.model
        let bundle = try SampleBundle(model, try #require(SemanticVersion("1.0.0")))
        try api.registry.upload(bundle)
        var targets = Targets(expires: api.now + 30 * TestRegistry.day)
        let path = TargetPath.manifest(of: model, bundle.manifest.version)
        targets.targets[path] = TargetDescription(of: bundle.manifest.bytes)
        let keys = [TestRegistry.releaseKeys[0]]
        #expect(try await post(api, targets, by: keys).status == .accepted)
        targets.targets[path] = nil
        let answer = try await post(api, targets, by: keys)
        #expect(answer.problem == "proposal-conflict")
        #expect(try answer.json["missing"]?.array?.count == 1)
        let token = try api.token("sign:commands-en")
        let proposal = "/v1/roles/model.commands-en/proposal"
        #expect(try await api.ask(.get, proposal, token: token).status == .ok)
        let stranger = try api.token("operate:commands-en")
        #expect(try await api.ask(.get, proposal, token: stranger).problem == "forbidden")
        #expect(try await api.ask(.delete, proposal, token: token).status == .ok)
        #expect(try await api.ask(.delete, proposal, token: token).problem == "not-found")
    }

    @Test func `a version that was published keeps its bytes`() async throws {
        let api = try founded()
        let model = api.registry.model
        let version = try #require(SemanticVersion("1.0.0"))
        try api.registry.release("1.0.0", replaces: [], at: api.now)
        let other = try SampleBundle(model, version, rollbackFloor: version)
        try api.registry.upload(other)
        var targets = try api.registry.modelTargets(at: api.now)
            .next(expires: api.now + 30 * TestRegistry.day)
        targets.targets[.manifest(of: model, version)] = TargetDescription(
            of: other.manifest.bytes)
        let answer = try await post(api, targets, by: [TestRegistry.releaseKeys[0]])
        #expect(answer.status == .conflict)
        #expect(answer.problem == "exists-with-other-bytes")
        #expect(
            try answer.json["target"]?.string == "\(TargetPath.manifest(of: model, version))")
    }

    // MARK: Rollouts

    @Test func `a rollout that breaks a rule is refused with all problems`() async throws {
        let api = try founded()
        let token = try api.token("operate")
        let order: JSON = [
            "model": "commands-en", "candidate": "1.0.0", "policy": "standard",
        ]
        let early = try await api.ask(.post, "/v1/rollouts", token: token, json: order)
        #expect(early.status == .notFound || early.problem == "refused-by-policy")
        try api.registry.release("1.0.0", replaces: [], at: api.now)
        try api.registry.release("1.1.0", replaces: ["1.0.0"], at: api.now)
        let wrong = try await api.ask(
            .post, "/v1/rollouts", token: token,
            json: ["model": "commands-en", "candidate": "1.1.0", "policy": "standard"])
        #expect(wrong.problem == "refused-by-policy")
        #expect(try wrong.json["problems"]?.array?.isEmpty == false)
        let initial = try await api.ask(
            .post, "/v1/rollouts", token: token,
            json: [
                "model": "commands-en", "candidate": "1.0.0", "policy": "standard",
                "initial": true,
            ])
        #expect(initial.status == .created, "\(initial.text)")
        let path = "/v1/rollouts/commands-en/main"
        let pause = try await api.ask(.post, path + "/pause", token: token, json: [:])
        #expect(pause.problem == "state-conflict")
        #expect(pause.status == .conflict)
        let jump = try await api.ask(.post, path + "/jump", token: token, json: [:])
        #expect(jump.problem == "not-found")
        let long = String(repeating: "x", count: RolloutDesk.reasonLimit + 1)
        let wordy = try await api.ask(
            .post, path + "/start", token: token, json: ["reason": .string(long)])
        #expect(wordy.problem == "malformed-request")
        let start = try await api.ask(.post, path + "/start", token: token, json: [:])
        #expect(try start.json["state"]?.string == "running")
        let reader = try api.token("read:commands-en")
        #expect(try await api.ask(.get, path, token: reader).status == .ok)
        #expect(try await api.ask(.get, "/v1/rollouts", token: reader).problem == "forbidden")
    }

    @Test func `a rollout with warnings is refused until they are acknowledged`() async throws {
        let api = try founded()
        let token = try api.token("operate")
        let stage: JSON = ["name": "all", "least_soak_s": 86_400, "required_blind_spot": [:]]
        try api.registry.release(
            "1.0.0", replaces: [], policy: ["stages": [stage]], at: api.now)
        try await api.ask(
            .post, "/v1/rollouts", token: token,
            json: [
                "model": "commands-en", "candidate": "1.0.0", "policy": "standard",
                "initial": true,
            ])
        for order in ["start", "advance"] {
            let answer = try await api.ask(
                .post, "/v1/rollouts/commands-en/main/\(order)", token: token, json: [:])
            #expect(answer.status == .ok, "\(answer.text)")
            api.now = api.now + 86_400
        }
        try api.registry.release("1.1.0", replaces: ["1.0.0"], at: api.now)
        var request: JSONObject = [
            "model": "commands-en", "candidate": "1.1.0", "policy": "standard",
        ]
        let warned = try await api.ask(
            .post, "/v1/rollouts", token: token, json: .object(request))
        #expect(warned.status == .unprocessableContent)
        #expect(warned.problem == "warnings-not-acknowledged")
        let warnings = try warned.json["warnings"]
        #expect(warnings?.array?.count == 1)
        #expect(try warned.json["hint"]?.string?.contains("--acknowledge-warnings") == true)
        request["acknowledge"] = true
        let created = try await api.ask(
            .post, "/v1/rollouts", token: token, json: .object(request))
        #expect(created.status == .created, "\(created.text)")
        #expect(try created.json["acknowledged"] == warnings)
        request["turns_per_day"] = 100_001
        let busy = try await api.ask(
            .post, "/v1/rollouts", token: token, json: .object(request))
        #expect(busy.problem == "malformed-request")
        let publisher = try api.token("publish:commands-en")
        let check = try await api.ask(
            .post, "/v1/rollouts/check", token: publisher, json: try api.policyToCheck())
        #expect(check.status == .ok, "\(check.text)")
        #expect(try check.json["state"]?.string == "refused")
        #expect(try check.json["problems"]?.array?.count == 1)
    }

    @Test(arguments: ["a\nb", "a\u{7}b", "\u{0}", "\u{85}"])
    func `text for the audit log has no control character`(text: String) async throws {
        let api = try founded()
        try api.registry.release("1.0.0", replaces: [], at: api.now)
        let device = TestDevice("one", model: api.registry.model)
        try api.registry.enrol(device, at: api.now)
        let token = try api.token("admin")
        try await api.ask(
            .post, "/v1/rollouts", token: token,
            json: [
                "model": "commands-en", "candidate": "1.0.0", "policy": "standard",
                "initial": true,
            ])
        let order = try await api.ask(
            .post, "/v1/rollouts/commands-en/main/start", token: token,
            json: ["reason": .string(text)])
        #expect(order.problem == "malformed-request")
        let named = try await api.ask(
            .post, "/v1/tokens", token: token,
            json: ["name": .string(text), "scopes": ["read"]])
        #expect(named.problem == "malformed-request")
        let encoded = text.utf8.map { "%" + String(Int($0) + 0x100, radix: 16).dropFirst() }
            .joined()
        let revoked = try await api.ask(
            .delete, "/v1/devices/\(device.id)?reason=\(encoded)", token: token)
        #expect(revoked.problem == "malformed-request")
        let shown = try await api.ask(.get, "/v1/audit", token: token).json["records"]?.array
        let kept = try api.registry.auditRecords()
        #expect(shown?.count == kept.count)
        _ = try AuditLog(store: api.registry.store).verify()
    }

    // MARK: Devices

    private func enrol(_ api: TestAPI, _ device: TestDevice) async throws {
        let made = try await api.ask(
            .post, "/v1/enrolments", token: try api.token("operate"), json: ["count": 1])
        let token = try #require(try made.json["tokens"]?.array?.first?.string)
        let enrolment = device.enrolment(token: token)
        let first = try await api.ask(.post, "/v1/devices", json: enrolment)
        #expect(first.status == .created)
        #expect(try first.json["device"]?.string == device.id.description)
        #expect(try await api.ask(.post, "/v1/devices", json: enrolment).status == .ok)
        let other = TestDevice("another", model: api.registry.model)
        let used = try await api.ask(
            .post, "/v1/devices", json: other.enrolment(token: token))
        #expect(used.problem == "unauthorised")
    }

    @Test func `a device speaks for itself alone`() async throws {
        let api = try founded()
        var one = TestDevice("one", model: api.registry.model)
        var two = TestDevice("two", model: api.registry.model)
        try await enrol(api, one)
        try await enrol(api, two)
        let mine = one.report(at: api.now)
        let theirs = two.report(at: api.now)
        let answer = try await api.ask(
            .post, "/v1/reports",
            json: one.batch([
                one.signed(mine), two.signed(theirs),
                two.signed(one.report(at: api.now)),
            ]))
        #expect(answer.status == .ok)
        #expect(try answer.json["accepted"]?.array?.map(\.integer) == [mine.sequence])
        let refused = try #require(try answer.json["refused"]?.array)
        #expect(
            refused.map { $0["code"]?.string } == [Reports.foreignDevice, Reports.wrongSignature])
        let detail = try await api.ask(
            .get, "/v1/devices/\(two.id)", token: try api.token("read"))
        #expect(try detail.json["heard"] == nil)
        let unknown = TestDevice("three", model: api.registry.model)
        let stranger = try await api.ask(.post, "/v1/reports", json: unknown.batch([]))
        #expect(stranger.problem == "not-found")
    }

    @Test func `an enrolment that the device's key has not signed is refused`() async throws {
        let api = try founded()
        let device = TestDevice("one", model: api.registry.model)
        let made = try await api.ask(
            .post, "/v1/enrolments", token: try api.token("operate"), json: ["count": 1])
        let token = try #require(try made.json["tokens"]?.array?.first?.string)
        let spoiled = device.enrolment(token: token, spoil: { $0["agent"] = "9.9.9" })
        let answer = try await api.ask(.post, "/v1/devices", json: spoiled)
        #expect(answer.status == .unprocessableContent)
        #expect(answer.problem == "refused-by-trust")
    }

    @Test func `a revoked device is forgotten`() async throws {
        let api = try founded()
        var device = TestDevice("one", model: api.registry.model)
        try await enrol(api, device)
        let token = try api.token("operate")
        let path = "/v1/devices/\(device.id)"
        #expect(try await api.ask(.delete, path + "?reason=lost", token: token).status == .ok)
        #expect(try await api.ask(.delete, path, token: token).problem == "not-found")
        let report = device.report(at: api.now)
        let answer = try await api.ask(
            .post, "/v1/reports", json: device.batch([device.signed(report)]))
        #expect(answer.problem == "not-found")
    }
}
