import ArgumentParser
import Console
import CurlTransport
import Primitives
import TUF

/// Where the registry is, and with which token it is spoken to.
struct ServerOptions: ParsableArguments {
    @Option(help: "The registry's base URL; otherwise FIELDFARE_SERVER.")
    var server: String?

    @Option(
        help: "A PEM file with the authority to trust; otherwise FIELDFARE_CA, or the system's.")
    var ca: String?

    @Option(help: "A file with the token; otherwise FIELDFARE_TOKEN.")
    var tokenFile: String?

    /// - Throws: `Failure` `usage` where no server is named.
    func api() throws(Failure) -> RegistryAPI { RegistryAPI(try address()) }

    /// - Throws: `Failure` `usage` where no server is named.
    func address() throws(Failure) -> RegistryAddress {
        guard let url = server ?? Environment.value("FIELDFARE_SERVER") else {
            throw Failure(
                .usage, "registry: expected --server or FIELDFARE_SERVER, got neither")
        }
        let base = try Word.read(
            url, server == nil ? "FIELDFARE_SERVER" : "--server",
            "an https URL such as https://registry.example", RegistryAddress.base(of:))
        var token = Environment.value("FIELDFARE_TOKEN")
        if let tokenFile {
            let bytes = try FileBytes.read(tokenFile, limit: 1_024)
            token = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
        }
        let authorities = ca ?? Environment.value("FIELDFARE_CA")
        // Before anybody is asked: a file that is not there is not the network's fault.
        if let authorities { _ = try FileBytes.read(authorities, limit: 4 << 20) }
        return RegistryAddress(base: base, token: token, authorities: authorities)
    }
}

/// Where a registry or a mirror is, whom to trust there, and the token to show, if any.
struct RegistryAddress: Sendable {
    let base: String
    let token: String?
    /// A PEM file; nil for the system's.
    let authorities: String?

    /// What paths are put after: the URL of a registry without the slashes at its end; nil for what is no `https`
    /// URL of a host, or has a query, a fragment or a user.
    static func base(of url: String) -> String? {
        let scheme = "https://"
        guard url.lowercased().hasPrefix(scheme),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !url.contains(where: { "?#@\\".contains($0) })
        else { return nil }
        var rest = url.dropFirst(scheme.count)
        while rest.last == "/" { rest.removeLast() }
        guard let first = rest.first, first != "/", first != ":" else { return nil }
        return scheme + rest
    }
}

/// The registry's API (`docs/protocol.md`) as the CLI calls it.
struct RegistryAPI {
    /// The most bytes of an answer.
    static let answerLimit = 16 << 20

    let base: String
    let token: String?
    let client: HTTPClient

    init(_ address: RegistryAddress) {
        base = address.base
        token = address.token
        var settings = HTTPClientSettings()
        settings.authorities = address.authorities
        settings.userAgent = "fieldfare-cli"
        settings.failureBodyLimit = 256 << 10
        client = HTTPClient(settings)
    }

    /// An answer that is not a refusal.
    struct Answer {
        let status: Int
        let body: [UInt8]

        func json() throws(Failure) -> JSON {
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
    func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil,
        headers: HTTPHeaders = [:], accepting: Set<Int> = []
    ) throws(Failure) -> Answer {
        try send(
            method, path, body: body.map { .bytes($0) } ?? .none, headers: headers,
            accepting: accepting)
    }

    func send(
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

    func get(_ path: String) throws(Failure) -> JSON { try send(.get, path).json() }

    func post(_ path: String, _ json: JSON) throws(Failure) -> JSON {
        try send(.post, path, json.bytes, headers: ["Content-Type": "application/json"]).json()
    }

    /// A static file; nil where there is none.
    func file(_ path: String) throws(Failure) -> [UInt8]? {
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
