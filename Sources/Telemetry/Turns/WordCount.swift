import Primitives

/// Words and word errors of turns for which the application knows them: from shadow decoding, or because the user
/// confirmed or corrected the words.
///
/// Example of one turn: `{"words":4,"errors":1}`. An insertion where nothing was said is an error of no words.
package struct WordCount: Sendable, Hashable {
    /// What one turn may have of each.
    package static let turnLimit: Int64 = 10_000

    /// Turns behind the two sums.
    package private(set) var turns: Int64 = 0
    package private(set) var words: Int64 = 0
    package private(set) var errors: Int64 = 0

    package init() {}

    /// Those of one turn.
    package init(words: Int64, errors: Int64) {
        turns = 1
        self.words = words
        self.errors = errors
    }

    package static func + (one: WordCount, other: WordCount) -> WordCount {
        var sum = one
        sum.turns += other.turns
        sum.words += other.words
        sum.errors += other.errors
        return sum
    }

    /// Errors by words in thousandths, at most 100,000; nil without a word.
    package var thousandths: Int64? {
        words == 0 ? nil : min(100_000, (errors * 1_000 + words / 2) / words)
    }

    /// Reads those of one turn.
    init(turn fields: inout Fields) throws(FieldError) {
        self.init(
            words: try fields.integer("words", in: 0...Self.turnLimit),
            errors: try fields.integer("errors", in: 0...Self.turnLimit))
        try fields.refuseUnknown()
    }

    // MARK: In the agent's journal

    var json: JSON {
        ["turns": .integer(turns), "words": .integer(words), "errors": .integer(errors)]
    }

    /// Reads what `json` wrote.
    init(journal fields: inout Fields) throws(FieldError) {
        let sums = 0...(TurnCounters.limit * Self.turnLimit)
        turns = try fields.integer("turns", in: 0...TurnCounters.limit)
        words = try fields.integer("words", in: sums)
        errors = try fields.integer("errors", in: sums)
        try fields.refuseUnknown()
    }
}
