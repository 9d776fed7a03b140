package import AgentCore
package import Primitives
package import Telemetry

/// One line of the local socket, read (docs/protocol.md, "The agent's local socket").
///
/// Example: `{"op":"turn","version":"1.4.0","latency_us":412000,"cpu_us":15300}`.
package enum LocalRequest: Sendable {
    package typealias Turn = (version: SemanticVersion, turn: TurnRecord)

    case status
    case lease(application: String)
    case acknowledge(SemanticVersion)
    case turns([Turn])
    case watch(LocalEvent.Subscription)
    case check
    case explain
    case order(LocalOrder)

    /// Bytes of one line, its newline included.
    package static let lineLimit = 64 << 10
    package static let turnLimit = 256
    package static let applicationLimit = 64

    /// Reads one line, without its newline.
    package init(parsing line: [UInt8]) throws(AgentError) {
        do {
            let json = try JSON(
                parsing: line, limits: JSONLimits(bytes: Self.lineLimit, depth: 8))
            try self.init(json)
        } catch {
            throw AgentError(.malformedRequest, "local request: \(error)")
        }
    }

    private init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        let op = try fields.string("op", limit: 32)
        switch op {
        case "status": self = .status
        case "watch": self = .watch(.model)
        case "events": self = .watch(.all)
        case "check": self = .check
        case "explain": self = .explain
        case "lease":
            self = .lease(
                application: try fields.string("application", limit: Self.applicationLimit))
        case "acknowledge": self = .acknowledge(try fields.version())
        case "turn": self = .turns([try Self.turn(&fields)])
        case "turns": self = .turns(try Self.turns(&fields))
        default:
            guard let order = LocalOrder(rawValue: op) else {
                throw FieldError(path: "op", expected: "an operation", found: "'\(op)'")
            }
            self = .order(order)
        }
        try fields.refuseUnknown()
    }

    private static func turns(_ fields: inout Fields) throws(FieldError) -> [Turn] {
        var turns: [Turn] = []
        for (json, path) in try fields.array("turns", limit: turnLimit) {
            var inner = try Fields(json, at: path)
            turns.append(try turn(&inner))
            try inner.refuseUnknown()
        }
        return turns
    }

    private static func turn(_ fields: inout Fields) throws(FieldError) -> Turn {
        (try fields.version(), try TurnRecord(reading: &fields))
    }
}

extension Fields {
    fileprivate mutating func version() throws(FieldError) -> SemanticVersion {
        try parse("version", SemanticVersion.expected) { SemanticVersion($0) }
    }
}
