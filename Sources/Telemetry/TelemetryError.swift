package import Primitives

/// Why telemetry is refused; `code` is the stable name that the API and the metrics use.
package enum TelemetryError: Error, Sendable, Hashable {
    /// Bytes that are not a histogram; `offset` counts from 0.
    case histogram(HistogramFault, offset: Int)
    /// A text that is not the JSON we accept.
    case json(JSONError)
    /// A field that is missing, unknown, of another type or out of range.
    case field(FieldError)
    /// A schema that this version does not read.
    case unknownSchema(String)
    /// A signed object made for another purpose.
    case wrongContext(String)
    /// A count above what another field allows.
    case impossibleCount(field: String, limit: Int64, found: Int64)
    /// A moment after `limit`: now with some tolerance, or a moment that must come later.
    case futureTime(field: String, limit: UTCTime, found: UTCTime)
    /// A field that this kind of report must have, or must not have.
    case kindMismatch(kind: ReportKind, field: String)

    /// The closed reason, for a counter or an API answer.
    package var code: String {
        switch self {
        case .histogram: "malformed-histogram"
        case .json, .field: "malformed-report"
        case .unknownSchema: "unknown-schema"
        case .wrongContext: "wrong-context"
        case .impossibleCount: "impossible-count"
        case .futureTime: "future-time"
        case .kindMismatch: "kind-mismatch"
        }
    }
}

extension TelemetryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .histogram(let fault, let offset):
            "histogram at byte \(offset): expected \(fault.rawValue), got something else"
        case .json(let error): "report: \(error)"
        case .field(let error): "report: \(error)"
        case .unknownSchema(let found):
            "report: expected schema \(Report.schema), got '\(found)'"
        case .wrongContext(let found):
            "report: expected context \(Report.context), got '\(found)'"
        case .impossibleCount(let field, let limit, let found):
            "report: field '\(field)': expected at most \(limit), got \(found)"
        case .futureTime(let field, let limit, let found):
            "report: field '\(field)': expected at most \(limit), got \(found)"
        case .kindMismatch(let kind, let field):
            "report: expected a \(kind.rawValue) report with the right fields, got '\(field)' wrong"
        }
    }
}
