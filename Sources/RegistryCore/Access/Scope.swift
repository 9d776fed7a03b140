package import Primitives

/// What a token may do: a verb, and optionally for one model only; as text `publish` or `publish:commands-en`.
package struct Scope: Sendable, Hashable, CustomStringConvertible {
    package static let expected =
        "a scope: publish, sign, operate, read or admin, and optionally ':' and a model"

    package enum Verb: String, Sendable, Hashable, CaseIterable {
        /// Uploads and proposals.
        case publish
        /// Signatures on proposals; root and targets metadata.
        case sign
        /// Rollouts and devices.
        case operate
        /// All that can be read below `/v1`.
        case read
        /// Tokens; contains all the others.
        case admin
    }

    package let verb: Verb
    /// Nil for all models, and for what belongs to none.
    package let model: ModelName?

    package init(_ verb: Verb, _ model: ModelName? = nil) {
        self.verb = verb
        self.model = model
    }

    package init?(_ text: String) {
        let parts = text.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let verb = Verb(rawValue: String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(verb)
            return
        }
        guard let model = ModelName(String(parts[1])) else { return nil }
        self.init(verb, model)
    }

    package var description: String {
        model.map { "\(verb.rawValue):\($0)" } ?? verb.rawValue
    }
}
