import Glibc
import Primitives

/// Reads a file of the repository, by its path from the root.
func projectFile(_ path: String, from here: String = #filePath) throws -> [UInt8] {
    let root = here.split(separator: "/").dropLast(3).joined(separator: "/")
    guard let file = unsafe fopen("/\(root)/\(path)", "rb") else {
        throw MissingFile(path: path)
    }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
    }
}

struct MissingFile: Error {
    let path: String
}

/// The part of YAML that `rollout.yaml` uses: maps, lists, flow lists, plain and quoted scalars, comments.
///
/// As the CLI does, it gives integers and booleans as such and every other scalar as a string.
struct PlainYAML {
    private var lines: [(indent: Int, text: String)] = []
    private var next = 0

    static func read(_ text: String) -> JSON {
        var reader = PlainYAML()
        for line in text.split(separator: "\n") {
            let content = line.drop { $0 == " " }
            guard !content.isEmpty, !content.hasPrefix("#") else { continue }
            reader.lines.append((line.count - content.count, String(content)))
        }
        return reader.block(indent: 0)
    }

    private mutating func block(indent: Int) -> JSON {
        guard next < lines.count, lines[next].text.hasPrefix("- ") else { return map(indent) }
        var elements: [JSON] = []
        while next < lines.count, lines[next].indent == indent, lines[next].text.hasPrefix("- ") {
            lines[next] = (indent + 2, String(lines[next].text.dropFirst(2)))
            elements.append(map(indent + 2))
        }
        return .array(elements)
    }

    private mutating func map(_ indent: Int) -> JSON {
        var fields: JSONObject = [:]
        while next < lines.count, lines[next].indent == indent, !lines[next].text.hasPrefix("- ") {
            let parts = lines[next].text.split(separator: ":", maxSplits: 1)
            let key = String(parts[0])
            let rest = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            next += 1
            if !rest.isEmpty {
                fields[key] = Self.scalar(String(rest))
            } else {
                fields[key] = block(indent: next < lines.count ? lines[next].indent : 0)
            }
        }
        return .object(fields)
    }

    private static func scalar(_ text: String) -> JSON {
        if text.hasPrefix("[") {
            let inner = text.dropFirst().dropLast()
            return .array(
                inner.split(separator: ",").map { scalar(String($0.drop { $0 == " " })) })
        }
        if text == "{}" { return .object([:]) }
        if text.hasPrefix("\"") { return .string(String(text.dropFirst().dropLast())) }
        if text == "true" || text == "false" { return .bool(text == "true") }
        return Int64(text).map { .integer($0) } ?? .string(text)
    }
}
