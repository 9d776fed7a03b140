/// How far transcripts are from what was said: word edits and reference words, kept apart so that
/// rates of several utterances add up exactly.
package struct WordErrorRate: Sendable, Hashable {
    /// Substitutions, deletions and insertions, the fewest that turn one into the other.
    package let edits: Int
    /// Words that were said.
    package let words: Int

    package static let none = WordErrorRate(edits: 0, words: 0)

    package init(edits: Int, words: Int) {
        precondition(edits >= 0 && words >= 0)
        self.edits = edits
        self.words = words
    }

    /// Compares what was heard with what was said, both after the rule of `TranscriptWords`.
    package init(reference: String, hypothesis: String) {
        let said = TranscriptWords(reference).words
        let heard = TranscriptWords(hypothesis).words
        self.init(edits: Self.distance(said, heard), words: said.count)
    }

    /// Edits per thousand words, rounded up, so that no error reads as none; words heard where
    /// nothing was said count as 1,000 each.
    package var thousandths: Int {
        guard words > 0 else { return edits * 1_000 }
        return (edits * 1_000 + words - 1) / words
    }

    /// Whether the rate is at most `limit` thousandths, without rounding.
    package func isWithin(thousandths limit: Int) -> Bool {
        edits * 1_000 <= limit * words
    }

    package static func + (left: WordErrorRate, right: WordErrorRate) -> WordErrorRate {
        WordErrorRate(edits: left.edits + right.edits, words: left.words + right.words)
    }

    /// Levenshtein's distance over words, in memory for one row.
    private static func distance(_ said: [String], _ heard: [String]) -> Int {
        var row = Array(0...heard.count)
        for (index, word) in said.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in heard.indices {
                let substitution = diagonal + (word == heard[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
            }
        }
        return row[heard.count]
    }
}
