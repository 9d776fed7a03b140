import HTTPTypes
import Hummingbird
import NIOCore
import Primitives
import RegistryCore

/// `GET /`, the dashboard: for people, with a session instead of a token in a header.
struct DashboardRoutes: Sendable {
    /// The most bytes of the form that signs in.
    static let formLimit = 1_024

    let services: Services
    let sessions: Sessions
    /// Whether everybody who reaches the registry may look.
    let isOpen: Bool

    func add(to table: inout RouteTable) {
        let after = Route.Parameter.query("after", "shows the devices after this id")
        table.add(
            Route(
                .get, "/", "The dashboard, or the form that asks for a token", .dashboard,
                parameters: [after], [.file("text/html"), .file("text/html", .unauthorized)]),
            use: page)
        table.add(
            Route(
                .get, "/live", "The part of the dashboard that is renewed", .dashboard,
                parameters: [after], [.file("text/html")]), use: live)
        table.add(
            Route(
                .post, "/session", "Signs in to the dashboard with a token of scope read", .open,
                body: .form(limit: Self.formLimit),
                [
                    .empty(.seeOther), .file("text/html", .unauthorized),
                    .file("text/html", .forbidden),
                ]), use: signIn)
        table.add(
            Route(
                .post, "/session/end", "Ends the session of the cookie", .open,
                [.empty(.seeOther)], problems: [.malformedRequest]), use: signOut)
    }

    // MARK: Looking

    @Sendable private func page(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        var random = SystemRandomNumberGenerator()
        let page = DashboardPage(using: &random)
        do {
            let view = try await view(request)
            let isSignedIn = SessionCookie.text(of: request) != nil
            return Self.response(page, page.dashboard(view.html, isSignedIn: isSignedIn))
        } catch RegistryError.unauthorised where request.headers[.authorization] == nil {
            return Self.response(page, page.signIn(), status: .unauthorized)
        }
    }

    @Sendable private func live(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let view = try await view(request)
        return Response(
            status: .ok, headers: Self.headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: view.html.text)))
    }

    private func view(_ request: Request) async throws -> DashboardView {
        let after = try request.query("after", DeviceID.expected, DeviceID.init)
        return try await blocking {
            let now = services.now()
            let reader = try reader(of: request, at: now)
            return try DashboardView(services, devicesAfter: after, by: reader, at: now)
        }
    }

    /// Who looks: everybody where the dashboard is open, else the bearer of a token or of a session.
    private func reader(
        of request: Request, at now: UTCTime
    ) throws -> Principal {
        if isOpen { return .registry }
        guard request.headers[.authorization] == nil else {
            return try services.principal(of: request)
        }
        guard let session = SessionCookie.text(of: request),
            let token = sessions.token(of: session, at: now)
        else { throw RegistryError.unauthorised }
        return try services.tokens.principal(of: token, at: now)
    }

    // MARK: Signing in and out

    @Sendable private func signIn(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        try Self.refuseForeign(request)
        let form = String(
            decoding: try await request.bytes(limit: Self.formLimit), as: UTF8.self)
        do {
            let session = try await blocking { try begin(showing: Self.token(in: form)) }
            return Self.redirect(setting: SessionCookie.set(session))
        } catch let error as RegistryError
            where [.unauthorised, .forbidden].contains(error.code)
        {
            var random = SystemRandomNumberGenerator()
            let page = DashboardPage(using: &random)
            return Self.response(
                page, page.signIn(Self.words(for: error)), status: error.code.status)
        }
    }

    /// Begins a session for the bearer of a token that may read everything.
    private func begin(showing text: String) throws -> BearerText {
        let now = services.now()
        let reader = try services.tokens.principal(showing: text, at: now)
        try authorise(reader, .read, on: .registry)
        guard let token = BearerText(.access, text) else { throw RegistryError.unauthorised }
        var random = SystemRandomNumberGenerator()
        return sessions.begin(with: token.digest, at: now, using: &random)
    }

    @Sendable private func signOut(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        try Self.refuseForeign(request)
        if let session = SessionCookie.text(of: request) { sessions.end(session) }
        return Self.redirect(setting: SessionCookie.cleared)
    }
}
