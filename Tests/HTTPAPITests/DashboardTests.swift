import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import RegistryTestSupport
import Telemetry
import Testing

@testable import HTTPAPI

/// The dashboard: what it shows, to whom, and that nothing from outside becomes markup.
struct DashboardTests {
    private static let hostile =
        "</bdi><script>alert('1')</script><img src=x onerror=\"x\"> & \u{202E}"

    // MARK: What it shows

    @Test func `the page shows stages, cohorts, the gate, devices, models and the timeline`()
        async throws
    {
        let api = try TestAPI(isDashboardOpen: true)
        let scene = try FleetScene(api, slowdown: 1.6, reason: "ticket SPEECH-12")
        try scene.pass(ticks: 5)
        let page = try await api.ask(.get, "/").text
        for heading in ["Rollouts", "Devices", "Models"] {
            #expect(page.contains("<h2>\(heading)</h2>"))
        }
        for caption in [
            "Stages", "Exposure by cohort", "Updated devices against control, by test",
            "The two arms", "Devices, in the order of their ids",
            "Models and versions, the newest first",
        ] {
            #expect(page.contains("<caption>\(caption)</caption>"), "\(caption)")
        }
        let status = try await api.ask(
            .get, "/v1/rollouts/commands-en/main", token: try api.token("read")
        ).json
        #expect(status["state"]?.string == "rolled_back")
        let look = try #require(status["look"])
        let latency = try #require(
            look["tests"]?.array?.first { $0["metric"]?.string == "latency_p95" })
        let ratio = try #require(latency["ratio"]?.integer)
        let low = try #require(latency["range"]?["low"]?.integer)
        let high = try #require(latency["range"]?["high"]?.integer)
        #expect(
            page.contains(
                "<strong>\(Figures.ratio(ratio))</strong>, range \(Figures.ratio(low)) to "
                    + "\(Figures.ratio(high)), limit ×1.30"))
        #expect(
            page.contains(
                "aria-label=\"estimate \(Figures.ratio(ratio)), range \(Figures.ratio(low)) to "
                    + "\(Figures.ratio(high)), limit ×1.30\""))
        #expect(page.contains("over the limit"))
        #expect(page.contains("▲</span> rolled back"))
        let facts = try #require(look["facts"])
        let metric = try #require(facts["test"]?["metric"]?.string)
        #expect(["latency_p95", "cpu_per_turn"].contains(metric))
        let odds = try #require(facts["one_in"]?.integer)
        #expect(odds > 100)
        #expect(page.contains("fewer than 1 rollout in \(Figures.count(odds))"))
        let exposed = try #require(facts["exposed"]?["devices"]?.integer)
        #expect(page.contains("<dd>\(exposed) devices, "))
        for device in facts["moved"]?.array ?? [] {
            #expect(page.contains(device["device"]?.string ?? "none"))
        }
        for device in scene.fleet.devices { #expect(page.contains(device.id.description)) }
        #expect(page.contains("ticket SPEECH-12"))
        #expect(page.contains("<strong>started</strong>"))
        #expect(page.contains("1.1.0.standard.json"))
    }

    @Test func `the part that is renewed is the part of the page`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        try FleetScene(api, devices: 24).pass(ticks: 2)
        let live = try await api.ask(.get, "/live")
        let page = try await api.ask(.get, "/")
        #expect(live.text.count > 1_000)
        #expect(page.text.contains("<main id=\"live\">\(live.text)</main>"))
        #expect(!live.text.contains("<script"))
    }

    @Test func `an empty registry has a page too`() async throws {
        let page = try await TestAPI(isDashboardOpen: true).ask(.get, "/")
        #expect(page.status == .ok)
        #expect(page.text.contains("There is no rollout yet."))
        #expect(page.text.contains("No device has enrolled yet."))
    }

    @Test func `devices are shown a page at a time`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        try api.registry.found(at: api.now)
        let devices = (0...DevicesSection.pageLimit).map {
            TestDevice("many \($0)", model: api.registry.model)
        }
        for device in devices { try api.registry.enrol(device, at: api.now) }
        let ids = devices.map(\.id).sorted()
        let last = ids[DevicesSection.pageLimit - 1]
        let first = try await api.ask(.get, "/").text
        #expect(first.contains("<a href=\"/?after=\(last)#devices\">"))
        #expect(!first.contains(ids[DevicesSection.pageLimit].description))
        let second = try await api.ask(.get, "/?after=\(last)").text
        #expect(second.contains(ids[DevicesSection.pageLimit].description))
        #expect(!second.contains("<code title=\"\(last)\">"))
        #expect(try await api.ask(.get, "/?after=x").problem == "malformed-request")
    }

    @Test func `a device that is silent for long is said to be`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        try api.registry.found(at: api.now)
        var device = TestDevice("one", model: api.registry.model)
        try api.registry.enrol(device, at: api.now)
        try api.registry.send(device, device.report(at: api.now), at: api.now)
        api.now = api.now + FleetMetrics.silence
        #expect(try await api.ask(.get, "/live").text.contains("of which 0 have not been heard"))
        api.now = api.now + 1
        let late = try await api.ask(.get, "/live").text
        #expect(late.contains("of which 1 have not been heard"))
        #expect(late.contains("▲</span> silent"))
    }

    // MARK: Text from outside

    @Test func `text from outside never becomes markup`() async throws {
        let api = try TestAPI(isDashboardOpen: true)
        let scene = try FleetScene(api, devices: 24, reason: Self.hostile)
        try scene.pass(ticks: 1)
        let token = try api.token("operate", name: Self.hostile)
        let path = "/v1/rollouts/commands-en/main/pause"
        let order = try await api.ask(
            .post, path, token: token, json: ["reason": .string(Self.hostile)])
        #expect(order.status == .ok)
        let page = try await api.ask(.get, "/").text
        let escaped =
            "&lt;/bdi&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&lt;img src=x "
            + "onerror=&quot;x&quot;&gt; &amp; \u{202E}"
        #expect(page.ranges(of: escaped).count == 3)
        #expect(!page.contains("<script>alert"))
        #expect(!page.contains("<img"))
        #expect(page.ranges(of: "<script").count == 1)
    }

    @Test func `interpolated text is escaped, HTML is not`() {
        let name = "<b>\"&'\u{0}\n"
        let inner: HTML = "<i>\(name)</i>"
        let list: [HTML] = ["<br>", "\(7)"]
        let outer: HTML = "<p title=\"\(name)\">\(inner)\(list)</p>"
        let text = "&lt;b&gt;&quot;&amp;&#39;\u{FFFD} "
        #expect(outer.text == "<p title=\"\(text)\"><i>\(text)</i><br>7</p>")
    }

    // MARK: Who may look

    @Test func `every page carries a policy that lets nothing else run`() async throws {
        for isOpen in [true, false] {
            let api = try TestAPI(isDashboardOpen: isOpen)
            let first = try await api.ask(.get, "/")
            let second = try await api.ask(.get, "/")
            let policy = try #require(first.header("Content-Security-Policy"))
            #expect(policy != second.header("Content-Security-Policy"))
            let pattern = try Regex("script-src 'nonce-([0-9a-f]+)'")
            let match = try #require(policy.firstMatch(of: pattern))
            let nonce = String(match.output[1].substring ?? "")
            #expect(nonce.count >= 20)
            #expect(
                policy
                    == "default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; "
                    + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            )
            #expect(first.text.contains("<style nonce=\"\(nonce)\">"))
            for forbidden in [" style=\"", " onclick", "http://", "https://", "src=\""] {
                #expect(!first.text.contains(forbidden), "\(forbidden)")
            }
            #expect(first.header("Cache-Control") == "no-store")
            #expect(first.header("X-Content-Type-Options") == "nosniff")
            #expect(first.header("Referrer-Policy") == "no-referrer")
        }
    }

    private func signIn(_ api: TestAPI, _ token: String) async throws -> TestResponse {
        try await api.ask(
            .post, "/session", headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array("token=\(token)".utf8))
    }

    /// The pair of name and value that a browser would send back.
    private func cookie(_ response: TestResponse) throws -> String {
        String(try #require(response.header("Set-Cookie")).prefix { $0 != ";" })
    }

    @Test func `a closed dashboard asks for a token, and shows itself to a session`() async throws {
        let api = try TestAPI()
        try api.registry.found(at: api.now)
        let form = try await api.ask(.get, "/")
        #expect(form.status == .unauthorized)
        #expect(form.text.contains("<form method=\"post\" action=\"/session\">"))
        #expect(!form.text.contains("commands-en"))
        let token = try api.token("read")
        let signedIn = try await signIn(api, token)
        #expect(signedIn.status == .seeOther)
        #expect(signedIn.header("Location") == "/")
        let set = try #require(signedIn.header("Set-Cookie"))
        #expect(set.hasPrefix("__Host-fieldfare=fs_"))
        #expect(
            set.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800"))
        #expect(!set.contains(token.dropFirst(3)))
        let cookie = ["Cookie": "a=b; \(try cookie(signedIn)); c=d"]
        let page = try await api.ask(.get, "/", headers: cookie)
        #expect(page.status == .ok)
        #expect(page.text.contains("commands-en"))
        #expect(page.text.contains("Sign out"))
        #expect(try await api.ask(.get, "/live", headers: cookie).status == .ok)
        #expect(try await api.ask(.get, "/v1/models", headers: cookie).status == .unauthorized)
        #expect(try await api.ask(.get, "/", token: token).status == .ok)
    }

    @Test func `a session ends with the hours, with its token, and when it is signed out`()
        async throws
    {
        let api = try TestAPI()
        let token = try api.token("read")
        func live(_ cookie: String) async throws -> HTTPResponse.Status {
            try await api.ask(.get, "/live", headers: ["Cookie": cookie]).status
        }
        let one = try cookie(try await signIn(api, token))
        let two = try cookie(try await signIn(api, token))
        #expect(one != two)
        #expect(try await live(one) == .ok)
        let out = try await api.ask(.post, "/session/end", headers: ["Cookie": one])
        #expect(out.status == .seeOther)
        #expect(out.header("Set-Cookie")?.contains("Max-Age=0") == true)
        #expect(try await live(one) == .unauthorized)
        #expect(try await live(two) == .ok)
        api.now = api.now + Sessions.life
        #expect(try await live(two) == .unauthorized)
        let three = try cookie(try await signIn(api, token))
        #expect(try await live(three) == .ok)
        let admin = try api.token("admin")
        let tokens = try await api.ask(.get, "/v1/tokens", token: admin).json["tokens"]?.array
        let id = try #require(tokens?.first?["id"]?.string)
        try await api.ask(.delete, "/v1/tokens/\(id)", token: admin)
        #expect(try await live(three) == .unauthorized)
    }

    @Test func `signing in wants a token that may read everything`() async throws {
        let api = try TestAPI()
        for scope in ["publish", "read:commands-en", "operate"] {
            let answer = try await signIn(api, try api.token(scope))
            #expect(answer.status == .forbidden, "\(scope)")
            #expect(answer.header("Set-Cookie") == nil)
            #expect(answer.text.contains("role=\"alert\""))
        }
        let token = try api.token("read")
        for text in [
            "", "x", "ff_" + String(repeating: "A", count: 43), token + "x", "%20" + token,
        ] {
            let answer = try await signIn(api, text)
            #expect(answer.status == .unauthorized, "\(text)")
            #expect(answer.header("Set-Cookie") == nil)
        }
        #expect(try await signIn(api, "+\(token)+").status == .seeOther)
        #expect(try await signIn(api, "\(token)&other=1").status == .seeOther)
    }

    @Test func `a form that another site has sent is refused`() async throws {
        let api = try TestAPI()
        let body = Array("token=\(try api.token("read"))".utf8)
        for (site, status) in [
            ("cross-site", HTTPResponse.Status.badRequest), ("same-site", .badRequest),
            ("same-origin", .seeOther), ("none", .seeOther),
        ] {
            let answer = try await api.ask(
                .post, "/session", headers: ["Sec-Fetch-Site": site], body: body)
            #expect(answer.status == status, "\(site)")
        }
    }

    @Test func `sessions are bounded, and the oldest makes room`() throws {
        let sessions = Sessions()
        let digest = try #require(SHA256Digest([UInt8](repeating: 7, count: 32)))
        var random = SystemRandomNumberGenerator()
        let first = sessions.begin(with: digest, at: .epoch, using: &random)
        let later = (0..<Sessions.limit).map { _ in
            sessions.begin(with: digest, at: .epoch + 1, using: &random)
        }
        #expect(sessions.token(of: first, at: .epoch + 2) == nil)
        for session in later { #expect(sessions.token(of: session, at: .epoch + 2) == digest) }
    }

    // MARK: Figures

    @Test func `figures read as people write them`() {
        #expect(Figures.ratio(1_064) == "×1.06")
        #expect(Figures.ratio(1_065) == "×1.07")
        #expect(Figures.ratio(0) == "×0.00")
        #expect(Figures.ratio(1_000_001) == "over ×1,000")
        #expect(Figures.share(20) == "2%")
        #expect(Figures.share(428) == "42.8%")
        #expect(Figures.basisPoints(4_398) == "43.98%")
        #expect(Figures.count(1_234_567) == "1,234,567")
        #expect(Figures.count(-999) == "-999")
        #expect(
            [119, 120, 7_200, 172_800].map(Figures.span) == ["119 s", "2 min", "2 h", "2 days"])
    }
}
