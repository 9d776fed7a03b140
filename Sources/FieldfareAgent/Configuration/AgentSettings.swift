package import AgentCore
package import Primitives

/// A configuration that can be used: complete, and each value in its range.
package struct AgentSettings: Sendable, Hashable {
    /// `https://host[:port]`, without a slash at the end.
    package let registry: String
    /// A PEM file of authorities; nil for the system's.
    package let authorities: String?
    package let trustedRoot: String
    package let stateDirectory: String
    package let socket: String
    package let model: ModelName
    package let channel: ChannelName
    package let region: AttributeName
    package let deviceClass: AttributeName
    package let labels: [AttributeName]
    package let locale: AttributeName
    /// The class of the device's microphone, for reports; nil for one that is not told.
    package let microphone: AttributeName?
    package let smokeProgram: String
    package let speechRuntime: String
    package let enrolmentTokenFile: String?
    package let conditions: ConditionSource
    package let driver: DriverSettings
    /// Seconds that an application may keep a lease before it is reported.
    package let leaseDeadline: Int64
    package let connectTimeout: Int64
    package let stallTimeout: Int64
    /// How many connections a download uses at once; at least 1.
    package let connections: Int

    package init(_ merged: MergedConfiguration) throws(ConfigurationError) {
        let values = merged.values
        func need<Value>(
            _ key: String, _ value: Value?
        ) throws(ConfigurationError) -> Value {
            guard let value else { throw ConfigurationError(file: nil, reason: .missing(key)) }
            return value
        }
        let url = try need("registry", values.registry)
        guard let registry = Self.base(url) else {
            throw ConfigurationError(file: merged.sources["registry"], reason: .notHTTPS(url))
        }
        self.registry = registry
        authorities = values.authorities
        trustedRoot = try need("trusted_root", values.trustedRoot)
        stateDirectory = try need("state_directory", values.stateDirectory)
        socket = try need("socket", values.socket)
        model = try need("model", values.model)
        channel = try need("channel", values.channel)
        region = try need("region", values.region)
        deviceClass = try need("device_class", values.deviceClass)
        labels = try need("labels", values.labels)
        locale = try need("locale", values.locale)
        microphone = values.microphone
        smokeProgram = try need("smoke_program", values.smokeProgram)
        speechRuntime = try need("speech_runtime", values.speechRuntime)
        conditions = try need("conditions", values.conditions)
        enrolmentTokenFile = values.enrolmentTokenFile
        leaseDeadline = try need("lease_deadline_s", values.seconds["lease_deadline_s"])
        connectTimeout = try need("connect_timeout_s", values.seconds["connect_timeout_s"])
        stallTimeout = try need("stall_timeout_s", values.seconds["stall_timeout_s"])
        connections = Int(try need("connections", values.connections))
        var driver = DriverSettings()
        driver.pollInterval = try need("poll_interval_s", values.seconds["poll_interval_s"])
        driver.reportInterval = try need("report_interval_s", values.seconds["report_interval_s"])
        driver.turnSaveInterval = try need(
            "turn_save_interval_s", values.seconds["turn_save_interval_s"])
        driver.quietSeconds = try need("quiet_s", values.seconds["quiet_s"])
        driver.verifyInterval = try need("verify_interval_s", values.seconds["verify_interval_s"])
        driver.downloadWindows = try need("download_windows", values.downloadWindows)
        driver.leaseDeadline = leaseDeadline
        driver.rules.restSeconds = try need("rest_s", values.seconds["rest_s"])
        self.driver = driver
    }

    /// The attributes, under the number that the journal will correct.
    var attributes: DeviceAttributes {
        DeviceAttributes(
            number: 1, region: region, deviceClass: deviceClass, labels: labels, locale: locale)
    }

    private static func base(_ url: String) -> String? {
        let text = url.hasSuffix("/") ? String(url.dropLast()) : url
        let rest = text.dropFirst(8)
        let forbidden: Set<UInt8> = [0x20, 0x22, 0x23, 0x3F, 0x40, 0x5C]
        guard text.hasPrefix("https://"), !rest.isEmpty, !rest.contains("/"),
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !forbidden.contains($0) })
        else { return nil }
        return text
    }
}
