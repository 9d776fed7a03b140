/// One metric with its samples, in the Prometheus text exposition format 0.0.4.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
    }

    private let name: String
    private let head: String
    private var lines: [String] = []

    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        head = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func add(_ value: Double, _ labels: [(name: String, value: String)] = []) {
        let inner = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        let suffix = inner.isEmpty ? "" : "{\(inner.joined(separator: ","))}"
        let whole = value == value.rounded() && abs(value) < 1e15
        lines.append("\(name)\(suffix) \(whole ? String(Int64(value)) : String(value))\n")
    }

    package var text: String { head + lines.joined() }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
