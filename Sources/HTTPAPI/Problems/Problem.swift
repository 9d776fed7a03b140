import HTTPTypes
package import Hummingbird
import NIOCore
package import Primitives
package import RegistryCore

/// A refusal as the protocol tells it: RFC 9457 problem details, `application/problem+json`.
package struct Problem: Error, Sendable, Hashable {
    package let code: ProblemCode
    /// What was wrong: thing, expected, got.
    ///
    /// Never the registry's own trouble, which goes to the log.
    package let detail: String
    /// What the one who asked may do about it.
    package let hint: String?
    /// Facts of the refusal, each a field of its own.
    package let facts: JSONObject
    /// Header fields that belong to the refusal, such as `Retry-After`.
    package let headers: [String: String]

    package init(
        _ code: ProblemCode, _ detail: String, hint: String? = nil, facts: JSONObject = [:],
        headers: [String: String] = [:]
    ) {
        self.code = code
        self.detail = detail
        self.hint = hint
        self.facts = facts
        self.headers = headers
    }

    /// The body; `status` repeats the HTTP status, as RFC 9457 section 3.1.2 advises.
    package var json: JSON {
        var fields = facts
        fields["type"] = .string(code.urn)
        fields["title"] = .string(code.title)
        fields["status"] = .integer(Int64(code.status.code))
        fields["detail"] = .string(detail)
        fields["hint"] = hint.map { .string($0) }
        return .object(fields)
    }
}

extension Problem: HTTPResponseError {
    package var status: HTTPResponse.Status { code.status }

    package func response(
        from request: Request, context: some RequestContext
    ) throws -> Response {
        var response = Response(
            status: status, headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
        if code == .unauthorised { response.headers[.wwwAuthenticate] = "Bearer" }
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }
}

extension ProblemCode {
    /// The one HTTP status of this code.
    package var status: HTTPResponse.Status {
        switch self {
        case .malformedRequest: .badRequest
        case .unauthorised: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .versionConflict, .proposalConflict, .existsWithOtherBytes, .offsetConflict,
            .stateConflict:
            .conflict
        case .tooLarge: .contentTooLarge
        case .digestMismatch, .refusedByTrust, .refusedByPolicy, .warningsNotAcknowledged:
            .unprocessableContent
        case .tooManyRequests: .tooManyRequests
        case .insufficientStorage: .init(code: 507, reasonPhrase: "Insufficient Storage")
        case .internal: .internalServerError
        }
    }

    /// The `type` of its problem details.
    package var urn: String { "urn:fieldfare:problem:\(rawValue)" }

    var title: String {
        rawValue.split(separator: "-").joined(separator: " ")
    }
}
