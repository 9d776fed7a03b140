import Console
import CurlTransport
import PosixFiles
import Primitives
import RegistryCore

/// Where a registry is, and whom to trust there.
struct RegistryAddress: Sendable {
    /// An `https` URL without a slash at its end.
    let base: String
    /// A PEM file; nil for the system's.
    let authorities: String?

    func settings(_ userAgent: String) -> HTTPClientSettings {
        var settings = HTTPClientSettings()
        settings.authorities = authorities
        settings.userAgent = userAgent
        return settings
    }
}

/// What a drive asks the registry for beside its devices: their tokens, and what it knows of them afterwards.
struct DriveDesk {
    /// The most bytes of an answer.
    private static let answerLimit = 16 << 20
    private static let pageLimit = 1_000
    private static let tokenSeconds: Int64 = 3_600

    private let address: RegistryAddress
    /// An operator's; nil where only enrolment tokens were given.
    private let token: String?
    private let client: HTTPClient

    init(_ address: RegistryAddress, token: String?) {
        self.address = address
        self.token = token
        client = HTTPClient(address.settings("fieldfare-fleet"))
    }

    /// Whether it can ask for what not everybody may know.
    var hasToken: Bool { token != nil }

    /// Enrolment tokens, good for one hour.
    func enrolmentTokens(_ count: Int) throws(Failure) -> [BearerText] {
        let body: JSON = [
            "count": .integer(Int64(count)), "expires_s": .integer(Self.tokenSeconds),
        ]
        let path = "/v1/enrolments"
        let answer = try json(send(.post, path, body.bytes), path)
        let tokens = (answer["tokens"]?.array ?? []).compactMap(\.string)
            .compactMap { BearerText(.enrolment, $0) }
        guard tokens.count == count else {
            throw Failure(
                .failed, "registry: expected \(count) enrolment tokens, got \(tokens.count)")
        }
        return tokens
    }

    /// The devices that the registry knows; true for those that it has heard of since they enrolled.
    func devices() throws(Failure) -> [DeviceID: Bool] {
        var found: [DeviceID: Bool] = [:]
        var after = ""
        while true {
            let path = "/v1/devices?limit=\(Self.pageLimit)\(after)"
            let page = try json(send(.get, path), path)["devices"]?.array ?? []
            let known = found.count
            for device in page {
                guard let id = device["device"]?.string.flatMap({ DeviceID($0) }) else { continue }
                found[id] = device["heard"] != nil
                after = "&after=\(id)"
            }
            // A page without anything new would be asked for again, for ever.
            guard page.count == Self.pageLimit, found.count > known else { return found }
        }
    }

    /// Reports that the registry has accepted since it started, of whatever devices.
    func acceptedReports() throws(Failure) -> Int64 {
        let text = String(decoding: try send(.get, "/metrics"), as: UTF8.self)
        let counts = text.split(separator: "\n").filter {
            $0.hasPrefix("fieldfare_reports_total{result=\"accepted\"")
        }
        return counts.compactMap { $0.split(separator: " ").last.flatMap { Int64($0) } }
            .reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }

    private func json(_ bytes: [UInt8], _ path: String) throws(Failure) -> JSON {
        try Failure.catching("registry: \(path)") {
            try JSON(parsing: bytes, limit: Self.answerLimit)
        }
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil
    ) throws(Failure) -> [UInt8] {
        var request = HTTPRequest(method, address.base + path)
        request.headers["Authorization"] = token.map { "Bearer \($0)" }
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(body)
        }
        do {
            return try client.send(request, limit: Self.answerLimit).requireSuccess().body
        } catch {
            throw Failure(
                Self.kind(of: error),
                "registry \(address.base): \(method.rawValue) \(path): \(error)")
        }
    }

    private static func kind(of error: TransportError) -> Failure.Kind {
        switch error {
        case .status(let response): [401, 403].contains(response.status) ? .refused : .failed
        case .invalidRequest, .insecure: .usage
        case .local, .bodyUnreadable: .failed
        case .bodyTooLarge, .headersTooLarge, .redirectRefused: .refused
        default: .unreachable
        }
    }
}
