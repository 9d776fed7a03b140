import Speech
import TestSupport
import Testing

struct TokenTableTests {
    private func table(_ text: String) throws -> TokenTable {
        try TokenTable(parsing: Array(text.utf8))
    }

    @Test func `reads symbols by id, in any order of lines`() throws {
        let table = try table("<blk> 2\n\u{2581}on 0\n\u{2581}off 1\n")
        #expect(table.symbols == ["\u{2581}on", "\u{2581}off", "<blk>"])
        #expect(table.blank == 2)
        #expect(table.vocabulary == ["on", "off"])
    }

    @Test func `takes each name of the blank, CR LF, and no newline at the end`() throws {
        #expect(try table("<eps> 0\r\na 1").blank == 0)
        #expect(try table("a 0\n<blank> 1\n").blank == 1)
    }

    @Test func `reads an id alone as the space, as the runtime does`() throws {
        let table = try table("  0\na 1\n<blk> 2\n")
        #expect(table.symbols == [" ", "a", "<blk>"])
    }

    @Test func `knows no vocabulary of characters or word pieces`() throws {
        #expect(try table("a 0\nb 1\n<blk> 2\n").vocabulary == nil)
        #expect(try table("\u{2581}on 0\ning 1\n<blk> 2\n").vocabulary == nil)
        #expect(try table("\u{2581} 0\n<blk> 1\n").vocabulary == nil)
        #expect(try table("<unk> 0\n<blk> 1\n").vocabulary == nil)
        #expect(try table("\u{2581}On 0\n<unk> 1\n<blk> 2\n").vocabulary == ["on"])
    }

    static let faults: [(String, TokenTableError)] = [
        ("", .empty),
        ("a 0\nb 1\n", .noBlank),
        ("a 0\n<blk> 2\n", .gap(missing: 1, count: 2)),
        ("a 1\n<blk> 2\n", .gap(missing: 0, count: 2)),
        ("a 0\nb 0\n<blk> 1\n", .duplicateID(0, line: 2)),
        ("a 0\na 1\n<blk> 2\n", .duplicateSymbol("a", line: 2)),
        ("<blk> 0\n<eps> 1\n", .severalBlanks(["<blk>", "<eps>"])),
        ("a b 3\n", .columns(line: 1, found: 3)),
        ("a 0\n\n<blk> 1\n", .columns(line: 2, found: 0)),
        ("a\nb\n<blk>\n", .columns(line: 1, found: 1)),
        ("a -7\n<blk> 1\n", .badID(line: 1, found: "-7")),
        ("a +7\n<blk> 1\n", .badID(line: 1, found: "+7")),
        ("a 1x\n", .badID(line: 1, found: "1x")),
        ("a 1099511627776\n", .badID(line: 1, found: "1099511627776")),
    ]

    @Test(arguments: faults.indices)
    func `refuses a table that ends or misleads the runtime`(index: Int) {
        #expect(throws: Self.faults[index].1) { try table(Self.faults[index].0) }
    }

    @Test func `refuses bytes that are no text, and tables beyond the limits`() {
        #expect(throws: TokenTableError.notUTF8(line: 2)) {
            try TokenTable(parsing: Array("a 0\n".utf8) + [0xFF, 0x20, 0x31, 0x0A])
        }
        #expect(throws: TokenTableError.tooManyBytes(limit: 4_194_304, found: 4_194_305)) {
            try TokenTable(parsing: [UInt8](repeating: 0x61, count: 4_194_305))
        }
        #expect(throws: TokenTableError.tooManyTokens(limit: 200_000)) {
            try TokenTable(parsing: [UInt8](repeating: 0x0A, count: 200_001))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `prints and parses to the same table`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...40, using: &random)
        var symbols = (0..<count).map { "\u{2581}w\($0)" }
        symbols.insert("<blk>", at: Int.random(in: 0...count, using: &random))
        let lines = symbols.enumerated().map { "\($0.element) \($0.offset)\n" }
            .shuffled(using: &random)
        let read = try table(lines.joined())
        #expect(read.symbols == symbols)
        #expect(read.symbols[read.blank] == "<blk>")
    }

    static let messages: [(TokenTableError, String)] = [
        (.tooManyBytes(limit: 1, found: 2), "expected at most 1 bytes, got 2"),
        (.tooManyTokens(limit: 1), "expected at most 1 tokens, got more"),
        (.empty, "expected one 'symbol id' a line, got no line"),
        (.notUTF8(line: 2), "expected UTF-8 on line 2, got other bytes"),
        (.columns(line: 2, found: 3), "expected 'symbol id' on line 2, got 3 columns"),
        (.columns(line: 2, found: 1), "expected 'symbol id' on line 2, got 1 column"),
        (.badID(line: 2, found: "x"), "expected a whole number as id on line 2, got 'x'"),
        (.duplicateSymbol("a", line: 2), "expected each symbol once, got 'a' again on line 2"),
        (.duplicateID(4, line: 2), "expected each id once, got 4 again on line 2"),
        (.gap(missing: 3, count: 9), "expected ids 0 to 8 without a gap, got no id 3"),
        (.noBlank, "expected a blank: <blk>, <blank> or <eps>, got none"),
        (.severalBlanks(["<blk>", "<eps>"]), "expected one blank, got <blk> and <eps>"),
    ]

    @Test(arguments: messages.indices)
    func `says what was expected and what was found`(index: Int) {
        #expect(Self.messages[index].0.description == "token table: " + Self.messages[index].1)
    }
}
