import Speech
import TestSupport
import Testing

struct WordErrorRateTests {
    static let cases: [(said: String, heard: String, edits: Int, words: Int)] = [
        ("turn on the light", "turn on the light", 0, 4),
        ("turn on the light", "turn off the light", 1, 4),
        ("turn on the light", "turn on light", 1, 4),
        ("turn on the light", "turn on the the light", 1, 4),
        ("turn on the light", "", 4, 4),
        ("", "yes", 1, 0),
        ("", "", 0, 0),
        ("a b c d", "b c d a", 2, 4),
        ("Turn ON, the light!", "turn on the light", 0, 4),
        ("don't", "don\u{2019}t", 0, 1),
        ("don't", "dont", 1, 1),
    ]

    @Test(arguments: cases.indices)
    func `counts the fewest word edits`(index: Int) {
        let (said, heard, edits, words) = Self.cases[index]
        let rate = WordErrorRate(reference: said, hypothesis: heard)
        #expect(rate == WordErrorRate(edits: edits, words: words))
    }

    @Test func `rounds thousandths up and compares without rounding`() {
        let rate = WordErrorRate(edits: 1, words: 3)
        #expect(rate.thousandths == 334)
        #expect(!rate.isWithin(thousandths: 333))
        #expect(rate.isWithin(thousandths: 334))
        #expect(WordErrorRate(edits: 1, words: 10).isWithin(thousandths: 100))
        #expect(!WordErrorRate(edits: 1, words: 10).isWithin(thousandths: 99))
        #expect(WordErrorRate.none.isWithin(thousandths: 0))
    }

    @Test func `counts words heard in silence as errors`() {
        let silence = WordErrorRate(reference: "", hypothesis: "turn left")
        #expect(silence.thousandths == 2_000)
        #expect(!silence.isWithin(thousandths: 1_000))
        let both = silence + WordErrorRate(edits: 0, words: 8)
        #expect(both == WordErrorRate(edits: 2, words: 8))
        #expect(both.thousandths == 250)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `is a distance`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let texts = (0..<3).map { _ in
            (0..<Int.random(in: 0...7, using: &random))
                .map { _ in ["on", "off", "up"].randomElement(using: &random) ?? "on" }
        }
        func distance(_ a: Int, _ b: Int) -> Int {
            WordErrorRate(
                reference: texts[a].joined(separator: " "),
                hypothesis: texts[b].joined(separator: " ")
            ).edits
        }
        #expect(distance(0, 0) == 0)
        #expect((distance(0, 1) == 0) == (texts[0] == texts[1]))
        #expect(distance(0, 1) == distance(1, 0))
        #expect(distance(0, 2) <= distance(0, 1) + distance(1, 2))
        #expect(distance(0, 1) == Self.slowly(texts[0][...], texts[1][...]))
    }

    /// The definition itself, in exponential time.
    private static func slowly(_ a: ArraySlice<String>, _ b: ArraySlice<String>) -> Int {
        guard let first = a.first else { return b.count }
        guard let other = b.first else { return a.count }
        if first == other { return slowly(a.dropFirst(), b.dropFirst()) }
        return 1
            + min(
                slowly(a.dropFirst(), b.dropFirst()), slowly(a.dropFirst(), b),
                slowly(a, b.dropFirst()))
    }
}

struct TranscriptWordsTests {
    static let cases: [(String, [String])] = [
        ("", []),
        ("  \t ", []),
        ("Turn left.", ["turn", "left"]),
        ("o'clock rock'n'roll", ["o'clock", "rock'n'roll"]),
        ("'quoted' dogs' ", ["quoted", "dogs"]),
        ("it\u{2019}s 5 o\u{2019}clock", ["it's", "5", "o'clock"]),
        ("half-way", ["half", "way"]),
        ("STRASSE Stra\u{DF}e", ["strasse", "stra\u{DF}e"]),
        ("\u{C4}pfel caf\u{E9} cafe\u{301}", ["\u{E4}pfel", "caf\u{E9}", "caf\u{E9}"]),
        ("\u{4F60}\u{597D}\u{3002}", ["\u{4F60}\u{597D}"]),
    ]

    @Test(arguments: cases.indices)
    func `splits a transcript by one rule`(index: Int) {
        #expect(TranscriptWords(Self.cases[index].0).words == Self.cases[index].1)
    }
}
