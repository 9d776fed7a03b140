/// Why a value is not what a schema asks for; `path` names the field, as in `stages[1].share`.
package struct FieldError: Error, Sendable, Hashable, CustomStringConvertible {
    package let path: String
    package let expected: String
    package let found: String

    package init(path: String, expected: String, found: String) {
        self.path = path
        self.expected = expected
        self.found = found
    }

    package var description: String {
        "\(path.isEmpty ? "document" : "field '\(path)'"): expected \(expected), got \(found)"
    }
}

/// Reads the fields of one JSON object, each by name and type, and knows which ones it has read.
///
/// Where unknown fields are refused (configuration, policies, plans, API requests: ADR 0002), call
/// `refuseUnknown()` last.
package struct Fields {
    package let path: String
    private let fields: JSONObject
    private var read: Set<String> = []

    package init(_ json: JSON, at path: String = "") throws(FieldError) {
        guard case .object(let fields) = json else {
            throw FieldError(path: path, expected: "an object", found: json.kind)
        }
        self.fields = fields
        self.path = path
    }

    /// The path of a field of this object, for an error.
    package func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The value of `key`, or nil where it is absent; null is a value like any other.
    package mutating func optional(_ key: String) -> JSON? {
        read.insert(key)
        return fields[key]
    }

    /// The value of `key`.
    package mutating func value(_ key: String, _ expected: String) throws(FieldError) -> JSON {
        guard let value = optional(key) else {
            throw FieldError(path: path(of: key), expected: expected, found: "nothing")
        }
        return value
    }

    package mutating func string(_ key: String, limit: Int = 4096) throws(FieldError) -> String {
        let value = try value(key, "a string")
        guard case .string(let text) = value else { throw wrong(key, "a string", value) }
        guard text.utf8.count <= limit else {
            throw FieldError(
                path: path(of: key), expected: "at most \(limit) bytes",
                found: "\(text.utf8.count)")
        }
        return text
    }

    package mutating func optionalString(
        _ key: String, limit: Int = 4096
    ) throws(FieldError) -> String? {
        optional(key) == nil ? nil : try string(key, limit: limit)
    }

    package mutating func integer(
        _ key: String, in range: ClosedRange<Int64> = Int64.min...Int64.max
    ) throws(FieldError) -> Int64 {
        let value = try value(key, "an integer")
        guard case .integer(let number) = value else { throw wrong(key, "an integer", value) }
        guard range.contains(number) else {
            throw FieldError(
                path: path(of: key),
                expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(number)")
        }
        return number
    }

    package mutating func optionalInteger(
        _ key: String, in range: ClosedRange<Int64> = Int64.min...Int64.max
    ) throws(FieldError) -> Int64? {
        optional(key) == nil ? nil : try integer(key, in: range)
    }

    package mutating func bool(_ key: String) throws(FieldError) -> Bool {
        let value = try value(key, "true or false")
        guard case .bool(let flag) = value else { throw wrong(key, "true or false", value) }
        return flag
    }

    package mutating func optionalBool(_ key: String) throws(FieldError) -> Bool? {
        optional(key) == nil ? nil : try bool(key)
    }

    /// The object at `key`, as fields of its own.
    package mutating func fields(_ key: String) throws(FieldError) -> Fields {
        try Fields(try value(key, "an object"), at: path(of: key))
    }

    package mutating func optionalFields(_ key: String) throws(FieldError) -> Fields? {
        optional(key) == nil ? nil : try fields(key)
    }

    /// The elements at `key`, each with its path.
    package mutating func array(
        _ key: String, limit: Int = 100_000
    ) throws(FieldError) -> [(json: JSON, path: String)] {
        let value = try value(key, "an array")
        guard case .array(let elements) = value else { throw wrong(key, "an array", value) }
        guard elements.count <= limit else {
            throw FieldError(
                path: path(of: key), expected: "at most \(limit) elements",
                found: "\(elements.count)")
        }
        let path = path(of: key)
        return elements.enumerated().map { ($0.element, "\(path)[\($0.offset)]") }
    }

    /// The elements at `key`; none where it is absent.
    package mutating func optionalArray(
        _ key: String, limit: Int = 100_000
    ) throws(FieldError) -> [(json: JSON, path: String)] {
        optional(key) == nil ? [] : try array(key, limit: limit)
    }

    /// The fields at `key` as pairs in code point order of their names.
    package mutating func map(
        _ key: String, limit: Int = 100_000
    ) throws(FieldError) -> [(name: String, json: JSON, path: String)] {
        let value = try value(key, "an object")
        guard case .object(let entries) = value else { throw wrong(key, "an object", value) }
        guard entries.count <= limit else {
            throw FieldError(
                path: path(of: key), expected: "at most \(limit) fields", found: "\(entries.count)")
        }
        let path = path(of: key)
        return entries.sorted.map { ($0.key, $0.value, "\(path).\($0.key)") }
    }

    /// Parses a string field into a type that cannot be wrong.
    package mutating func parse<Value>(
        _ key: String, _ expected: String, _ make: (String) -> Value?
    ) throws(FieldError) -> Value {
        let text = try string(key)
        guard let value = make(text) else {
            throw FieldError(path: path(of: key), expected: expected, found: "'\(text)'")
        }
        return value
    }

    /// Parses a string field, where it is there.
    package mutating func optionalParse<Value>(
        _ key: String, _ expected: String, _ make: (String) -> Value?
    ) throws(FieldError) -> Value? {
        optional(key) == nil ? nil : try parse(key, expected, make)
    }

    /// The fields that nobody has asked for, as signed metadata keeps them (ADR 0002).
    package var unread: JSONObject {
        var rest = fields
        for key in read { rest[key] = nil }
        return rest
    }

    /// Refuses fields that nobody asked for.
    package func refuseUnknown() throws(FieldError) {
        guard let unknown = unread.keys.first else { return }
        throw FieldError(
            path: path(of: unknown), expected: "a field of this schema", found: "an unknown one")
    }

    private func wrong(_ key: String, _ expected: String, _ found: JSON) -> FieldError {
        FieldError(path: path(of: key), expected: expected, found: found.kind)
    }
}
