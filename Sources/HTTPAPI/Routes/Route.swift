package import HTTPTypes
import Hummingbird
import Primitives
package import RegistryCore

/// One route: how the router answers it, and how `/openapi.json` tells of it.
package struct Route: Sendable {
    /// Who may use a route.
    package enum Access: Sendable, Hashable {
        /// Everybody.
        case open
        /// A device, by its signature in the body.
        case device
        /// Whoever has a session of the dashboard or a token with scope `read`; everybody where it is open.
        case dashboard
        /// The bearer of a token with one of these verbs.
        ///
        /// `ofModel` says that a scope for the model in question will do, `ofAnyModel` that one for any will.
        case token([Scope.Verb], Reach)

        package enum Reach: Sendable, Hashable {
            case registry
            case ofModel
            case ofAnyModel
        }
    }

    /// A parameter of the query string or a header field.
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let isHeader: Bool
        package let text: String

        static func query(_ name: String, _ text: String) -> Self {
            Self(name: name, isHeader: false, text: text)
        }

        static func header(_ name: String, _ text: String) -> Self {
            Self(name: name, isHeader: true, text: text)
        }
    }

    /// A request body: its media type, and the most bytes it may have.
    package struct Body: Sendable, Hashable {
        package let media: String
        package let limit: Int

        static func json(limit: Int = Request.jsonLimit) -> Self {
            Self(media: "application/json", limit: limit)
        }

        static func form(limit: Int) -> Self {
            Self(media: "application/x-www-form-urlencoded", limit: limit)
        }

        static func bytes(limit: Int) -> Self {
            Self(media: "application/octet-stream", limit: limit)
        }
    }

    /// A good answer; one of JSON names the `type` of its object.
    package struct Answer: Sendable, Hashable {
        package let status: HTTPResponse.Status
        package let media: String?
        package let type: String?

        static func json(_ type: String, _ status: HTTPResponse.Status = .ok) -> Self {
            Self(status: status, media: "application/json", type: type)
        }

        static func file(_ media: String, _ status: HTTPResponse.Status = .ok) -> Self {
            Self(status: status, media: media, type: nil)
        }

        static func empty(_ status: HTTPResponse.Status) -> Self {
            Self(status: status, media: nil, type: nil)
        }
    }

    package let method: HTTPRequest.Method
    /// With `{name}` for a part, and `**` for all the rest.
    package let path: String
    package let summary: String
    package let access: Access
    package let parameters: [Parameter]
    package let body: Body?
    package let answers: [Answer]
    /// The refusals of this route beside those that follow from access and body.
    private let ownProblems: [ProblemCode]

    init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ access: Access,
        parameters: [Parameter] = [], body: Body? = nil, _ answers: [Answer],
        problems: [ProblemCode] = []
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.parameters = parameters
        self.body = body
        self.answers = answers
        ownProblems = problems
    }

    /// Whether a request's path is one of this route's: `{name}` stands for one part, `**` for all further ones.
    package func hasPath(_ requested: String) -> Bool {
        let parts = requested.split(separator: "/")
        let wanted = path.split(separator: "/")
        for (index, want) in wanted.enumerated() {
            if want == "**" { return index < parts.count }
            guard index < parts.count, want.hasPrefix("{") || want == parts[index] else {
                return false
            }
        }
        return parts.count == wanted.count
    }

    /// Every code that the route can answer with, in the order of the enumeration.
    package var problems: [ProblemCode] {
        var codes = Set(ownProblems)
        codes.insert(.internal)
        switch access {
        case .token, .dashboard: codes.formUnion([.unauthorised, .forbidden])
        case .open, .device: break
        }
        if body != nil { codes.formUnion([.malformedRequest, .tooLarge]) }
        if parameters.contains(where: { !$0.isHeader }) { codes.insert(.malformedRequest) }
        if path.contains("{") || path.contains("**") { codes.insert(.notFound) }
        return ProblemCode.allCases.filter(codes.contains)
    }
}
