package import Primitives

/// Checks JSON against the part of JSON Schema (draft 2020-12) that our own schemas use.
///
/// A keyword that it does not know is a fault of the schema: a check that is not made would pass all.
package struct SchemaValidator {
    private let root: JSON

    private static let notes: Set<String> = ["$schema", "$id", "title", "description", "$defs"]

    package init(root: JSON) { self.root = root }

    /// What is wrong, each with the path of the value; empty for nothing.
    package func problems(_ value: JSON, _ schema: JSON? = nil, at path: String = "") -> [String] {
        guard case .object(let keywords) = schema ?? root else { return ["\(path): no schema"] }
        return keywords.sorted { $0.key < $1.key }.flatMap { keyword, rule in
            check(value, keyword, rule, keywords, path)
        }
    }

    private func check(
        _ value: JSON, _ keyword: String, _ rule: JSON, _ all: JSONObject, _ path: String
    ) -> [String] {
        func require(_ holds: Bool) -> [String] { holds ? [] : ["\(path): \(keyword)"] }
        switch keyword {
        case _ where Self.notes.contains(keyword): return []
        case "$ref": return problems(value, definition(rule), at: path)
        case "type": return require(Self.types[rule.string ?? ""] == value.kind)
        case "const": return require(value == rule)
        case "enum": return require(rule.array?.contains(value) == true)
        case "not": return require(!problems(value, rule, at: path).isEmpty)
        case "oneOf":
            return require(
                (rule.array ?? []).count { problems(value, $0, at: path).isEmpty } == 1)
        case "minimum": return require((value.integer ?? .max) >= (rule.integer ?? .max))
        case "maximum": return require((value.integer ?? .min) <= (rule.integer ?? .min))
        case "minLength": return require((value.string?.count ?? .max) >= Int(rule.integer ?? 0))
        case "maxLength": return require((value.string?.count ?? 0) <= Int(rule.integer ?? 0))
        case "pattern": return require(Self.matches(value.string, rule.string))
        case "minItems": return require((value.array?.count ?? .max) >= Int(rule.integer ?? 0))
        case "maxItems": return require((value.array?.count ?? 0) <= Int(rule.integer ?? 0))
        case "uniqueItems":
            return require(value.array.map { Set($0).count == $0.count } ?? true)
        case "items":
            return (value.array ?? []).enumerated().flatMap { index, element in
                problems(element, rule, at: "\(path)[\(index)]")
            }
        case "minProperties":
            return require((value.object?.count ?? .max) >= Int(rule.integer ?? 0))
        case "maxProperties":
            return require((value.object?.count ?? 0) <= Int(rule.integer ?? 0))
        case "required":
            return (rule.array ?? []).compactMap(\.string)
                .filter { value.object != nil && value[$0] == nil }
                .map { "\(path).\($0): required" }
        case "propertyNames":
            return (value.object ?? [:]).keys.sorted()
                .flatMap { problems(.string($0), rule, at: "\(path).\($0)") }
        case "properties":
            return (rule.object ?? [:]).sorted { $0.key < $1.key }.flatMap { name, inner in
                value[name].map { problems($0, inner, at: "\(path).\(name)") } ?? []
            }
        case "additionalProperties": return further(value, rule, all["properties"], path)
        default: return ["\(path): unknown keyword \(keyword)"]
        }
    }

    private func further(
        _ value: JSON, _ rule: JSON, _ known: JSON?, _ path: String
    ) -> [String] {
        let names = (value.object ?? [:]).keys.filter { known?[$0] == nil }.sorted()
        if rule == .bool(false) { return names.map { "\(path).\($0): additionalProperties" } }
        return names.flatMap { name in
            value[name].map { problems($0, rule, at: "\(path).\(name)") } ?? []
        }
    }

    private func definition(_ reference: JSON) -> JSON? {
        let name = (reference.string ?? "").split(separator: "/").last.map(String.init) ?? ""
        return root["$defs"]?[name]
    }

    private static let types = [
        "object": "an object", "array": "an array", "string": "a string", "integer": "an integer",
        "boolean": "a boolean",
    ]

    private static func matches(_ text: String?, _ pattern: String?) -> Bool {
        guard let text, let pattern, let regex = try? Regex(pattern) else { return false }
        return text.firstMatch(of: regex) != nil
    }
}
