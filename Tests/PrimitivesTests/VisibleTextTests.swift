import Primitives
import Testing

struct VisibleTextTests {
    @Test func `shows what would move the cursor, hide or turn text`() {
        #expect("a\u{1b}[2Kb\rc\nd".visible == #"a\u{1b}[2Kb\u{d}c\u{a}d"#)
        #expect(
            "\u{9b}x\u{202e}y\u{2066}\u{200b}\u{feff}".visible
                == #"\u{9b}x\u{202e}y\u{2066}\u{200b}\u{feff}"#)
        #expect("\u{2028}\u{85}\u{7f}".visible == #"\u{2028}\u{85}\u{7f}"#)
        #expect("one\ntwo\t".visibleLines == "one\ntwo\\u{9}")
    }

    @Test func `leaves all other text as it is`() {
        for text in ["", "targets/a b.json", "ä é 日本語 …", "e\u{301}", "🙂"] {
            #expect(text.visible == text)
        }
    }
}
