/// The fields of a JSON object, by keys that are told apart byte for byte.
///
/// A dictionary by `String` would hash keys in their normalised form. That takes the square of the length of a run of
/// combining marks, which anybody can send, and makes one key of two that differ.
package struct JSONObject: Sendable, Hashable {
    private struct Name: ExactText, Sendable {
        let description: String
    }

    private var fields: [Name: JSON] = [:]

    package init() {}

    /// Of two fields with one key the last counts.
    package init(_ fields: some Sequence<(String, JSON)>) {
        for (key, value) in fields { self[key] = value }
    }

    package subscript(key: String) -> JSON? {
        get { fields[Name(description: key)] }
        set { fields[Name(description: key)] = newValue }
    }

    package var count: Int { fields.count }
    package var isEmpty: Bool { fields.isEmpty }

    /// The keys in code point order.
    package var keys: [String] { fields.keys.sorted().map(\.description) }

    /// The fields in code point order of their keys.
    package var sorted: [(key: String, value: JSON)] {
        fields.sorted { $0.key < $1.key }.map { ($0.key.description, $0.value) }
    }

    /// Adds a field, unless there is one of that key.
    ///
    /// - Returns: whether there was none.
    package mutating func insert(_ value: JSON, at key: String) -> Bool {
        let key = Name(description: key)
        guard fields[key] == nil else { return false }
        fields[key] = value
        return true
    }

    /// Takes fields over; where both have a key, the closure says which value counts.
    package mutating func merge(
        _ other: JSONObject, uniquingKeysWith choose: (JSON, JSON) throws -> JSON
    ) rethrows {
        try fields.merge(other.fields, uniquingKeysWith: choose)
    }

    package func merging(
        _ other: JSONObject, uniquingKeysWith choose: (JSON, JSON) throws -> JSON
    ) rethrows -> JSONObject {
        var all = self
        try all.merge(other, uniquingKeysWith: choose)
        return all
    }
}

extension JSONObject: Sequence {
    /// In no order.
    package func makeIterator() -> AnyIterator<(key: String, value: JSON)> {
        var iterator = fields.makeIterator()
        return AnyIterator { iterator.next().map { ($0.key.description, $0.value) } }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package typealias Key = String
    package typealias Value = JSON

    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
