import Console
import CurlTransport
import Primitives
import RegistryAccess
import RegistryCore

/// What a drive asks the registry for beside its devices: their tokens, and what it knows of them afterwards.
struct DriveDesk {
    private static let pageLimit = 1_000
    private static let tokenSeconds: Int64 = 3_600

    let registry: RegistryAPI

    /// Whether it can ask for what not everybody may know.
    var hasToken: Bool { registry.token != nil }

    /// Enrolment tokens, good for one hour.
    func enrolmentTokens(_ count: Int) throws(Failure) -> [BearerText] {
        let answer = try registry.post(
            "/v1/enrolments",
            ["count": .integer(Int64(count)), "expires_s": .integer(Self.tokenSeconds)])
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
            let answer = try registry.get("/v1/devices?limit=\(Self.pageLimit)\(after)")
            let page = answer["devices"]?.array ?? []
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
        let text = String(decoding: try registry.send(.get, "/metrics").body, as: UTF8.self)
        let counts = text.split(separator: "\n").filter {
            $0.hasPrefix("fieldfare_reports_total{result=\"accepted\"")
        }
        return counts.compactMap { $0.split(separator: " ").last.flatMap { Int64($0) } }
            .reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }
}
