package import Primitives

/// An error on its way to a person or a pipeline: one line, a hint, and an exit code (`docs/cli.md`).
package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The exit codes that all programs of Fieldfare share.
    package enum Kind: Int32, Sendable, Hashable {
        case failed = 1
        case usage = 2
        /// Refused by policy or trust.
        case refused = 10
        case busy = 11
        case unreachable = 12
        case interrupted = 130

        /// The word in JSON output.
        package var word: String {
            switch self {
            case .failed: "failed"
            case .usage: "usage"
            case .refused: "refused"
            case .busy: "busy"
            case .unreachable: "unreachable"
            case .interrupted: "interrupted"
            }
        }
    }

    package let kind: Kind
    /// Thing, expected, got; several lines where several things are wrong.
    package let text: String
    package let hint: String?

    package init(_ kind: Kind, _ text: String, hint: String? = nil) {
        self.kind = kind
        self.text = text
        self.hint = hint
    }

    package var description: String { hint.map { "\(text)\nhint: \($0)" } ?? text }

    package var json: JSON {
        [
            "type": "error", "kind": .string(kind.word), "code": .integer(Int64(kind.rawValue)),
            "detail": .string(text), "hint": hint.map { .string($0) } ?? .null,
        ]
    }

    /// Says what it was about, where something fails.
    package static func catching<Value: ~Copyable>(
        _ thing: String, _ kind: Kind = .failed, _ work: () throws -> Value
    ) throws(Failure) -> Value {
        do {
            return try work()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(kind, "\(thing): \(error)")
        }
    }
}
