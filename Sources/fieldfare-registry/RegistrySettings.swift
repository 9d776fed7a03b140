import PosixFiles
import Primitives

/// What the registry runs with, checked: from defaults, the configuration file, the environment and flags,
/// later ones winning.
struct RegistrySettings: Sendable, Hashable {
    static let byteLimit = 64 << 10
    private static let seconds: ClosedRange<Int64> = 1...86_400

    var host = "127.0.0.1"
    /// 0 for any free one.
    var port = 8_421
    /// PEM files; nil for plain HTTP, which is allowed on loopback only.
    var tls: TLSFiles?
    var isPlain = false
    var data: String?
    /// A folder with `snapshot.key`, `timestamp.key` and `plans.key`.
    var keys: String?
    var isDashboardOpen = false
    var controllerInterval: Int64 = 30
    var resignInterval: Int64 = 600

    struct TLSFiles: Sendable, Hashable {
        var certificate: String
        var key: String
    }

    /// What systemd gives a unit: its state folder and its credentials.
    init(environment: [String: String]) {
        data = environment["STATE_DIRECTORY"]
        keys = environment["CREDENTIALS_DIRECTORY"]
    }

    /// Takes over what a configuration file says; unknown keys are refused.
    mutating func take(file bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes, limit: Self.byteLimit)
        var fields = try Fields(json)
        host = try fields.optionalString("host", limit: 255) ?? host
        port = try fields.optionalInteger("port", in: 0...65_535).map(Int.init) ?? port
        try takeTLS(&fields)
        data = try fields.optionalString("data") ?? data
        keys = try fields.optionalString("keys") ?? keys
        let dashboard = try fields.optionalParse("dashboard", "'open' or 'token'") {
            ["open": true, "token": false][$0]
        }
        isDashboardOpen = dashboard ?? isDashboardOpen
        controllerInterval =
            try fields.optionalInteger("controller_interval_s", in: Self.seconds)
            ?? controllerInterval
        resignInterval =
            try fields.optionalInteger("resign_interval_s", in: Self.seconds) ?? resignInterval
        try fields.refuseUnknown()
    }

    private mutating func takeTLS(_ fields: inout Fields) throws {
        guard let value = fields.optional("tls") else { return }
        if value == "none" {
            isPlain = true
            return
        }
        var inner = try fields.fields("tls")
        tls = TLSFiles(
            certificate: try inner.string("certificate"), key: try inner.string("key"))
        try inner.refuseUnknown()
    }

    /// What is wrong with a port to listen on; nil where nothing is.
    static func problem(port: Int) -> String? {
        (0...65_535).contains(port) ? nil : "port: expected 0 to 65535, got \(port)"
    }

    /// Everything that does not fit together: thing, expected, got.
    var problems: [String] {
        var problems: [String] = []
        if data == nil { problems.append("data folder: expected one, got none") }
        if keys == nil { problems.append("folder of online keys: expected one, got none") }
        if let problem = Self.problem(port: port) { problems.append(problem) }
        if !Self.seconds.contains(controllerInterval) {
            problems.append(
                "controller interval: expected \(Self.seconds.lowerBound) to "
                    + "\(Self.seconds.upperBound) seconds, got \(controllerInterval)")
        }
        switch (tls, isPlain) {
        case (nil, false):
            problems.append(
                "TLS: expected a certificate and a key, or \"tls\": \"none\", got neither")
        case (.some, true): problems.append("TLS: expected files or none, got both")
        case (nil, true) where !["127.0.0.1", "::1", "localhost"].contains(host):
            problems.append("plain HTTP: expected a loopback host, got '\(host)'")
        default: break
        }
        return problems
    }

    var json: JSON {
        var fields: JSONObject = [
            "type": "settings", "host": .string(host), "port": .integer(Int64(port)),
            "dashboard": isDashboardOpen ? "open" : "token",
            "controller_interval_s": .integer(controllerInterval),
            "resign_interval_s": .integer(resignInterval), "tls": "none",
        ]
        if let tls {
            fields["tls"] = ["certificate": .string(tls.certificate), "key": .string(tls.key)]
        }
        fields["data"] = data.map { .string($0) }
        fields["keys"] = keys.map { .string($0) }
        return .object(fields)
    }
}
