package import Primitives
import Rollouts

/// The journal's form: one JSON object, read strictly, so that a damaged one is noticed and moved aside.
extension JournalState {
    package static let schema = "fieldfare.journal/1"
    /// Bytes of the whole object; the bounds of its parts keep it far below.
    package static let byteLimit = 4 << 20

    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "machine": machine.json, "trust": trust.json,
            "observation": observation.json,
        ]
        fields["attributes"] = attributes?.json
        fields["applications"] =
            applications.isEmpty ? nil : .array(applications.map(\.json))
        return .object(fields)
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        machine = try MachineState(&fields, at: "machine")
        trust = try TrustMemory(&fields, at: "trust")
        observation = try Observation(&fields, at: "observation")
        if var inner = try fields.optionalFields("attributes") {
            attributes = try DeviceAttributes(reading: &inner)
            try inner.refuseUnknown()
        } else {
            attributes = nil
        }
        applications = []
        if fields.optional("applications") != nil {
            let list = try fields.array("applications", limit: ApplicationProcess.limit)
            for (json, path) in list {
                applications.append(try ApplicationProcess(json, at: path))
            }
        }
        try fields.refuseUnknown()
    }
}

extension Fields {
    /// A moment in UTC seconds.
    mutating func moment(_ key: String) throws(FieldError) -> UTCTime {
        UTCTime(clamping: try integer(key, in: 0...UTCTime.latest.seconds))
    }

    mutating func optionalMoment(_ key: String) throws(FieldError) -> UTCTime? {
        optional(key) == nil ? nil : try moment(key)
    }

    mutating func bundle(_ key: String) throws(FieldError) -> BundleReference {
        try BundleReference(reading: try value(key, "a bundle"), at: path(of: key))
    }

    mutating func optionalBundle(_ key: String) throws(FieldError) -> BundleReference? {
        optional(key) == nil ? nil : try bundle(key)
    }

    mutating func optionalVersion(_ key: String) throws(FieldError) -> SemanticVersion? {
        try optionalParse(key, SemanticVersion.expected) { SemanticVersion($0) }
    }

    mutating func optionalSlot(_ key: String) throws(FieldError) -> Slot? {
        try optionalParse(key, "'a' or 'b'") { Slot(rawValue: $0) }
    }
}

extension UTCTime {
    var json: JSON { .integer(seconds) }
}
