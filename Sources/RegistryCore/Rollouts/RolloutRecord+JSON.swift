package import Primitives
import Rollouts

extension RolloutRecord {
    package static let schema = "fieldfare.rollout/1"
    /// The longest record that stores read, in bytes.
    static let longest = 16 << 20

    /// The whole record, for the registry's store.
    package var json: JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "created": .integer(created.seconds),
            "first_record": .integer(firstRecord), "rehearsed": .bool(isRehearsed),
            "state": state.json,
        ]
        fields["last_look"] = lastLook.map { .integer($0.seconds) }
        fields["look"] = look
        if !acknowledged.isEmpty {
            fields["acknowledged"] = .array(acknowledged.map { .string($0) })
        }
        fields["previous"] = previous?.json
        return .object(fields)
    }

    /// Reads what `json` wrote.
    package init(reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        let moments = 0...UTCTime.latest.seconds
        let created = UTCTime(clamping: try fields.integer("created", in: moments))
        let state = try ControllerState(reading: try fields.value("state", "an object"))
        let first = try fields.integer("first_record", in: 1...Int64.max)
        self.init(state: state, created: created, firstRecord: first)
        isRehearsed = try fields.bool("rehearsed")
        lastLook = try fields.optionalInteger("last_look", in: moments)
            .map { UTCTime(clamping: $0) }
        look = fields.optional("look")
        for (json, path) in try fields.optionalArray("acknowledged") {
            guard let text = json.string else {
                throw FieldError(path: path, expected: "a string", found: json.kind)
            }
            acknowledged.append(text)
        }
        previous = try fields.optional("previous").map { (json) throws(FieldError) in
            try ControllerState(reading: json)
        }
        try fields.refuseUnknown()
    }
}
