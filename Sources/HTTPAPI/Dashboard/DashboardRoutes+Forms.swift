import HTTPTypes
import Hummingbird
import NIOCore
import RegistryCore

extension DashboardRoutes {
    /// What goes with all that the dashboard answers: a browser keeps nothing, and tells nobody.
    static let headers: HTTPFields = {
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
            .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        return headers
    }()

    static func response(
        _ page: DashboardPage, _ html: HTML, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = headers
        headers[.contentSecurityPolicy] = page.policy
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html.text)))
    }

    /// Back to the dashboard, with a cookie set.
    static func redirect(setting cookie: String) -> Response {
        Response(
            status: .seeOther,
            headers: [.location: "/", .setCookie: cookie, .cacheControl: "no-store"])
    }

    /// Refuses a form that another site's page has sent, where the browser says so.
    ///
    /// The cookie's `SameSite=Strict` keeps foreign pages from reading; this keeps them from signing anybody in.
    static func refuseForeign(_ request: Request) throws {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        guard let site, site != "same-origin", site != "none" else { return }
        throw Problem(
            .malformedRequest, "form: expected one of this page, got one from '\(site.prefix(40))'")
    }

    /// The field `token` of a form (`application/x-www-form-urlencoded`), without the blanks around it.
    ///
    /// A token has no character that this encoding changes, so anything else is no token.
    static func token(in form: String) -> String {
        let field = form.split(separator: "&").first { $0.hasPrefix("token=") } ?? ""
        let text = field.dropFirst("token=".count).drop { $0 == "+" }
        return String(text.prefix { $0 != "+" })
    }

    static func words(for error: RegistryError) -> String {
        error.code == .forbidden
            ? "This token may not read everything. Ask for one with scope 'read'."
            : "The registry does not know this token, or it has expired."
    }
}

/// The cookie that holds a session: only over TLS, only to this host, no script reads it, no other site sends it.
enum SessionCookie {
    static let name = "__Host-fieldfare"
    private static let attributes = "; Path=/; Secure; HttpOnly; SameSite=Strict"

    static func set(_ session: BearerText) -> String {
        "\(name)=\(session.text)\(attributes); Max-Age=\(Sessions.life)"
    }

    static let cleared = "\(name)=\(attributes); Max-Age=0"

    /// The session that a request shows; nil for none, or something else under its name.
    static func text(of request: Request) -> BearerText? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let trimmed = pair.drop { $0 == " " }
                guard trimmed.hasPrefix("\(name)=") else { continue }
                return BearerText(.session, String(trimmed.dropFirst(name.utf8.count + 1)))
            }
        }
        return nil
    }
}
