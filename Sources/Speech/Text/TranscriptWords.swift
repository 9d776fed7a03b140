/// The words of a transcript, after the one rule by which transcripts are compared.
///
/// The rule: lower case (Unicode, without a locale); a letter, a digit and an apostrophe between two of
/// them belong to a word; a typographic apostrophe counts as `'`; every other character separates words.
/// Numerals are not spelt out: write transcripts as the model writes them.
package struct TranscriptWords: Sendable, Hashable {
    /// Bytes of a transcript, far beyond what 60 s of speech can say.
    package static let byteLimit = 4_096

    package let words: [String]

    package init(_ text: String) {
        let characters = Array(text.lowercased())
        var words: [String] = []
        var word = ""
        for (index, character) in characters.enumerated() {
            if character.isLetter || character.isNumber {
                word.append(character)
            } else if Self.isApostrophe(character), !word.isEmpty, index + 1 < characters.count,
                characters[index + 1].isLetter || characters[index + 1].isNumber
            {
                word.append("'")
            } else if !word.isEmpty {
                words.append(word)
                word = ""
            }
        }
        if !word.isEmpty { words.append(word) }
        self.words = words
    }

    private static func isApostrophe(_ character: Character) -> Bool {
        character == "'" || character == "\u{2019}"
    }
}
