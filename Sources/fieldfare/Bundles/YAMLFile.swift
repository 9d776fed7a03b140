import Console
import Primitives
import Yams

/// Reads the YAML that people write, and makes our strict JSON of it at once.
///
/// Whole numbers become integers and `true` and `false` booleans; every other scalar stays the text that
/// was written, so that `2.5%`, `512 MiB` and `1.30` reach those who know what they mean.
enum YAMLFile {
    static let byteLimit = 256 << 10
    private static let depthLimit = 32
    /// Far more than any bundle or policy has; aliases can make millions of a few bytes.
    private static let valueLimit = 20_000

    static func read(_ path: String) throws(Failure) -> JSON {
        let bytes = try FileBytes.read(path, limit: byteLimit)
        return try Failure.catching("'\(path)'") {
            let text = String(decoding: bytes, as: UTF8.self)
            guard let node = try compose(text, path) else {
                throw Failure(.failed, "'\(path)': expected YAML, got an empty file")
            }
            var values = 0
            return try json(node, path: "", depth: 0, &values)
        }
    }

    /// The document, or one line on why it is none: Yams' own errors repeat the whole file.
    private static func compose(_ text: String, _ path: String) throws -> Node? {
        func failure(_ line: Int, _ expected: String, _ found: String) -> Failure {
            Failure(.failed, "'\(path)' line \(line): expected \(expected), got \(found)")
        }
        do {
            return try Yams.compose(yaml: text)
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            let names = keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
            throw failure(context.mark.line, "each key once", "\(names) again")
        } catch YamlError.scanner(_, let problem, let mark, _),
            YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw failure(mark.line, "YAML", "what it cannot be read as: \(problem)")
        } catch YamlError.reader(let problem, let offset, _, _) {
            let place = offset.map { " at byte \($0)" } ?? ""
            throw Failure(
                .failed, "'\(path)'\(place): expected text in UTF-8, got other bytes: \(problem)")
        }
    }

    private static func json(
        _ node: Node, path: String, depth: Int, _ values: inout Int
    ) throws -> JSON {
        values += 1
        guard values <= valueLimit else {
            throw FieldError(path: "", expected: "at most \(valueLimit) values", found: "more")
        }
        guard depth < depthLimit else {
            throw FieldError(path: path, expected: "at most \(depthLimit) levels", found: "more")
        }
        switch node {
        case .scalar(let scalar): return value(scalar)
        case .sequence(let sequence):
            return .array(
                try sequence.enumerated().map {
                    try json($0.element, path: "\(path)[\($0.offset)]", depth: depth + 1, &values)
                })
        case .mapping(let mapping):
            var fields: JSONObject = [:]
            for (key, value) in mapping {
                guard let name = key.string else {
                    throw FieldError(path: path, expected: "names as keys", found: "something else")
                }
                let inner = path.isEmpty ? name : "\(path).\(name)"
                guard
                    fields.insert(try json(value, path: inner, depth: depth + 1, &values), at: name)
                else {
                    throw FieldError(path: inner, expected: "each key once", found: "it again")
                }
            }
            return .object(fields)
        case .alias:
            throw FieldError(path: path, expected: "no aliases", found: "one")
        }
    }

    private static func value(_ scalar: Node.Scalar) -> JSON {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "true": return true
        case "false": return false
        case "null", "~", "": return .null
        default:
            let text = scalar.string
            guard let number = Int64(text), String(number) == text else { return .string(text) }
            return .integer(number)
        }
    }
}
