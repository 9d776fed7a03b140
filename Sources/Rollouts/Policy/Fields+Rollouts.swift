import Primitives

extension Fields {
    mutating func version(_ key: String) throws(FieldError) -> SemanticVersion {
        try parse(key, SemanticVersion.expected) { SemanticVersion($0) }
    }

    mutating func digest(_ key: String) throws(FieldError) -> SHA256Digest {
        try parse(key, "64 lower-case hexadecimal digits") { SHA256Digest(hex: $0) }
    }

    mutating func model() throws(FieldError) -> ModelName {
        try parse("model", ModelName.expected) { ModelName($0) }
    }

    mutating func targetPath(_ key: String) throws(FieldError) -> TargetPath {
        try parse(key, TargetPath.expected) { TargetPath($0) }
    }

    mutating func optionalName(_ key: String) throws(FieldError) -> AttributeName? {
        try optionalParse(key, AttributeName.expected) { AttributeName($0) }
    }

    /// A moment in UTC seconds.
    mutating func moment(_ key: String) throws(FieldError) -> UTCTime {
        UTCTime(clamping: try integer(key, in: 0...UTCTime.latest.seconds))
    }

    mutating func count(
        _ key: String, in range: ClosedRange<Int64> = 0...10_000_000
    ) throws(FieldError) -> Int {
        Int(try integer(key, in: range))
    }

    mutating func share(_ key: String) throws(FieldError) -> BasisPoints {
        BasisPoints(clamping: try count(key, in: BasisPoints.range))
    }

    /// One of the values of a closed set of words.
    mutating func word<Word>(_ key: String) throws(FieldError) -> Word
    where Word: RawRepresentable & CaseIterable, Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        return try parse(key, "one of \(words)") { Word(rawValue: $0) }
    }

    /// Reads a list of texts, each made into a value; each at most once, in the order of `precedes`.
    mutating func sortedList<Value: Hashable>(
        _ key: String, _ expected: String, limit: Int = 256,
        by precedes: (Value, Value) -> Bool, _ make: (String) -> Value?
    ) throws(FieldError) -> [Value] {
        var values: [Value] = []
        for (json, path) in try array(key, limit: limit) {
            guard let text = json.string, let value = make(text) else {
                let found = json.string.map { "'\($0)'" } ?? json.kind
                throw FieldError(path: path, expected: expected, found: found)
            }
            if let last = values.last, !precedes(last, value) {
                throw FieldError(
                    path: path, expected: "each once, in ascending order",
                    found: "'\(text)' after its place")
            }
            values.append(value)
        }
        return values
    }

    mutating func names(_ key: String) throws(FieldError) -> [AttributeName] {
        try sortedList(key, AttributeName.expected, by: <) { AttributeName($0) }
    }

    /// Names that may be left out, which is the same as naming none.
    mutating func optionalNames(_ key: String) throws(FieldError) -> [AttributeName] {
        optional(key) == nil ? [] : try names(key)
    }

    /// Refuses a document of another schema.
    mutating func expectSchema(_ schema: String) throws(FieldError) {
        let found = try string("schema", limit: 64)
        guard found == schema else {
            throw FieldError(path: path(of: "schema"), expected: schema, found: "'\(found)'")
        }
    }
}

extension JSON {
    static func strings(_ values: [some CustomStringConvertible]) -> JSON {
        .array(values.map { .string($0.description) })
    }

    static func integer(_ value: Int) -> JSON { .integer(Int64(value)) }
}
