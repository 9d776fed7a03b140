package import AgentCore
package import Primitives

/// One configuration file as it was written: every field optional, unknown ones refused.
///
/// Example: `{"model":"commands-en","region":"eu","device_class":"hub","locale":"en-GB"}`.
package struct ConfigurationFragment: Sendable, Hashable {
    /// Bytes of a file; a real one has under 2,000.
    package static let byteLimit = 65_536

    package var registry: String?
    package var authorities: String?
    package var trustedRoot: String?
    package var stateDirectory: String?
    package var socket: String?
    package var model: ModelName?
    package var channel: ChannelName?
    package var region: AttributeName?
    package var deviceClass: AttributeName?
    package var labels: [AttributeName]?
    package var locale: AttributeName?
    package var microphone: AttributeName?
    package var smokeProgram: String?
    package var speechRuntime: String?
    package var enrolmentTokenFile: String?
    package var conditions: ConditionSource?
    package var downloadWindows: [DailyWindow]?
    package var connections: Int64?
    package var seconds: [String: Int64] = [:]

    package init() {}

    /// The fields that are spans in seconds, with what they may be.
    package static let spans: [(key: String, range: ClosedRange<Int64>)] = [
        ("poll_interval_s", 1...604_800), ("report_interval_s", 1...604_800),
        ("turn_save_interval_s", 1...3_600), ("quiet_s", 0...3_600),
        ("rest_s", 1...86_400), ("verify_interval_s", 60...31_536_000),
        ("lease_deadline_s", 1...604_800), ("connect_timeout_s", 1...600),
        ("stall_timeout_s", 1...600),
    ]

    /// How many connections a download may use at once.
    package static let connectionRange: ClosedRange<Int64> = 1...8

    /// Reads one file's bytes.
    package init(parsing bytes: [UInt8]) throws(ConfigurationError.Reason) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: Self.byteLimit) } catch { throw .json(error) }
        do { try self.init(json) } catch { throw .field(error) }
    }

    private init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        registry = try fields.optionalString("registry", limit: 1_024)
        authorities = try fields.optionalPath("ca_file")
        trustedRoot = try fields.optionalPath("trusted_root")
        stateDirectory = try fields.optionalPath("state_directory")
        socket = try fields.optionalPath("socket")
        model = try fields.optionalParse("model", ModelName.expected) { ModelName($0) }
        channel = try fields.optionalParse("channel", ChannelName.expected) { ChannelName($0) }
        region = try fields.optionalName("region")
        deviceClass = try fields.optionalName("device_class")
        if fields.optional("labels") != nil {
            var labels: [AttributeName] = []
            for (json, path) in try fields.array("labels", limit: DeviceAttributes.labelLimit) {
                guard let label = json.string.flatMap({ AttributeName($0) }) else {
                    throw FieldError(path: path, expected: AttributeName.expected, found: json.kind)
                }
                labels.append(label)
            }
            self.labels = labels
        }
        locale = try fields.optionalName("locale")
        microphone = try fields.optionalName("microphone")
        smokeProgram = try fields.optionalPath("smoke_program")
        speechRuntime = try fields.optionalPath("speech_runtime")
        enrolmentTokenFile = try fields.optionalPath("enrolment_token_file")
        conditions = try fields.optionalParse("conditions", ConditionSource.expected) {
            ConditionSource($0)
        }
        if fields.optional("download_windows") != nil {
            var windows: [DailyWindow] = []
            for (json, path) in try fields.array("download_windows", limit: DailyWindow.most) {
                windows.append(try DailyWindow(reading: json, at: path))
            }
            downloadWindows = windows
        }
        connections = try fields.optionalInteger("connections", in: Self.connectionRange)
        for (key, range) in Self.spans {
            seconds[key] = try fields.optionalInteger(key, in: range)
        }
        try fields.refuseUnknown()
    }

    /// What it sets, by key, as JSON.
    package var fields: JSONObject {
        var fields: JSONObject = [:]
        func set(_ key: String, _ text: String?) { fields[key] = text.map { .string($0) } }
        set("registry", registry)
        set("ca_file", authorities)
        set("trusted_root", trustedRoot)
        set("state_directory", stateDirectory)
        set("socket", socket)
        set("model", model?.description)
        set("channel", channel?.description)
        set("region", region?.description)
        set("device_class", deviceClass?.description)
        fields["labels"] = labels.map { .array($0.map { .string($0.description) }) }
        set("locale", locale?.description)
        set("microphone", microphone?.description)
        set("smoke_program", smokeProgram)
        set("speech_runtime", speechRuntime)
        set("enrolment_token_file", enrolmentTokenFile)
        set("conditions", conditions?.description)
        fields["download_windows"] = downloadWindows.map { .array($0.map(\.json)) }
        fields["connections"] = connections.map { .integer($0) }
        for (key, value) in seconds { fields[key] = .integer(value) }
        return fields
    }

    /// Takes over what `other` sets.
    package mutating func merge(_ other: ConfigurationFragment) {
        registry = other.registry ?? registry
        authorities = other.authorities ?? authorities
        trustedRoot = other.trustedRoot ?? trustedRoot
        stateDirectory = other.stateDirectory ?? stateDirectory
        socket = other.socket ?? socket
        model = other.model ?? model
        channel = other.channel ?? channel
        region = other.region ?? region
        deviceClass = other.deviceClass ?? deviceClass
        labels = other.labels ?? labels
        locale = other.locale ?? locale
        microphone = other.microphone ?? microphone
        smokeProgram = other.smokeProgram ?? smokeProgram
        speechRuntime = other.speechRuntime ?? speechRuntime
        enrolmentTokenFile = other.enrolmentTokenFile ?? enrolmentTokenFile
        conditions = other.conditions ?? conditions
        downloadWindows = other.downloadWindows ?? downloadWindows
        connections = other.connections ?? connections
        seconds.merge(other.seconds) { _, new in new }
    }
}

extension Fields {
    fileprivate mutating func optionalPath(_ key: String) throws(FieldError) -> String? {
        try optionalParse(key, "an absolute path of at most 1024 bytes") { text in
            text.hasPrefix("/") && text.utf8.count <= 1_024 && !text.utf8.contains(0) ? text : nil
        }
    }

    fileprivate mutating func optionalName(_ key: String) throws(FieldError) -> AttributeName? {
        try optionalParse(key, AttributeName.expected) { AttributeName($0) }
    }
}
