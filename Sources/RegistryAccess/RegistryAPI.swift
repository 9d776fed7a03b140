package import Console
package import CurlTransport
package import Primitives

/// The registry's API (`docs/protocol.md`) as people and pipelines call it.
package struct RegistryAPI {
    /// The most bytes of an answer.
    package static let answerLimit = 16 << 20

    package let base: String
    package let token: String?
    package let client: HTTPClient

    package init(_ address: RegistryAddress, userAgent: String = "fieldfare-cli") {
        base = address.base
        token = address.token
        var settings = address.settings(userAgent)
        settings.failureBodyLimit = 256 << 10
        client = HTTPClient(settings)
    }

    /// An answer that is not a refusal.
    package struct Answer {
        package let status: Int
        package let body: [UInt8]

        package func json() throws(Failure) -> JSON {
            do {
                return try JSON(parsing: body, limit: RegistryAPI.answerLimit)
            } catch {
                throw Failure(.failed, "registry: expected JSON, got something else: \(error)")
            }
        }
    }

    /// Sends a request with the token.
    ///
    /// - Throws: `Failure` of the problem's kind, `unreachable` where nobody answers.
    package func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil,
        headers: HTTPHeaders = [:], accepting: Set<Int> = []
    ) throws(Failure) -> Answer {
        try send(
            method, path, body: body.map { .bytes($0) } ?? .none, headers: headers,
            accepting: accepting)
    }

    package func send(
        _ method: HTTPMethod, _ path: String, body: HTTPBody, headers: HTTPHeaders = [:],
        accepting: Set<Int> = []
    ) throws(Failure) -> Answer {
        var headers = headers
        if let token { headers.add("Authorization", "Bearer \(token)") }
        let request = HTTPRequest(
            method, base + path, headers: headers, body: body)
        let response: HTTPResponse
        do {
            response = try client.send(request, limit: Self.answerLimit)
        } catch {
            throw Failure(
                Self.kind(of: error), "registry \(base): \(error)", hint: Self.hint(for: error))
        }
        guard response.isSuccess || accepting.contains(response.status) else {
            throw failure(response, method, path)
        }
        return Answer(status: response.status, body: response.body)
    }

    package func get(_ path: String) throws(Failure) -> JSON { try send(.get, path).json() }

    package func post(_ path: String, _ json: JSON) throws(Failure) -> JSON {
        try send(.post, path, json.bytes, headers: ["Content-Type": "application/json"]).json()
    }

    /// A static file; nil where there is none.
    package func file(_ path: String) throws(Failure) -> [UInt8]? {
        let answer = try send(.get, path, accepting: [404])
        return answer.status == 404 ? nil : answer.body
    }

    /// What cannot be sent is not the network's fault: trying again later would not help.
    private static func kind(of error: TransportError) -> Failure.Kind {
        switch error {
        case .invalidRequest, .insecure: .usage
        case .local, .bodyUnreadable: .failed
        case .bodyTooLarge, .headersTooLarge, .redirectRefused: .refused
        default: .unreachable
        }
    }

    private static func hint(for error: TransportError) -> String? {
        switch error {
        case .unreachable, .unresolved, .timedOut, .stalled:
            "is it running, and is --server or FIELDFARE_SERVER its URL?"
        case .certificateRefused: "name the authority to trust by --ca or FIELDFARE_CA"
        case .redirectRefused: "give the URL that the registry itself is at"
        case .bodyTooLarge, .headersTooLarge:
            "is this the registry? it sends more than one may"
        default: nil
        }
    }

    private func failure(
        _ response: HTTPResponse, _ method: HTTPMethod, _ path: String
    ) -> Failure {
        let problem = try? JSON(parsing: response.body, limit: Self.answerLimit)
        let code = problem?["type"]?.string.map { String($0.split(separator: ":").last ?? "") }
        let kind: Failure.Kind =
            switch code ?? "" {
            case "unauthorised", "forbidden", "refused-by-trust", "refused-by-policy",
                "warnings-not-acknowledged", "exists-with-other-bytes", "digest-mismatch":
                .refused
            case "malformed-request": .usage
            case "version-conflict", "proposal-conflict", "state-conflict", "too-many-requests":
                .busy
            default: .failed
            }
        var text =
            problem?["detail"]?.string?.visible
            ?? "registry: \(method.rawValue) \(path): status \(response.status)"
        // The detail of a single problem is that problem.
        for (key, word) in [("problems", "problem"), ("warnings", "warning")] {
            let lines = problem?[key]?.array?.compactMap(\.string) ?? []
            guard lines.count > 1 else { continue }
            text = "registry: expected no \(word), got \(lines.count)"
            for line in lines { text += "\n  \(line.visible)" }
        }
        var hint = problem?["hint"]?.string?.visible
        if code == "unauthorised", hint == nil {
            hint =
                token == nil
                ? "show a token: FIELDFARE_TOKEN, or --token-file"
                : "ask an administrator for a new token: this one was revoked, has expired or never was"
        }
        return Failure(kind, text, hint: hint)
    }
}
