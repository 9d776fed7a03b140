/// Why bytes are not a token table that sherpa-onnx can use; lines count from 1.
package enum TokenTableError: Error, Sendable, Hashable {
    case tooManyBytes(limit: Int, found: Int)
    case tooManyTokens(limit: Int)
    case empty
    case notUTF8(line: Int)
    case columns(line: Int, found: Int)
    case badID(line: Int, found: String)
    case duplicateSymbol(String, line: Int)
    case duplicateID(Int, line: Int)
    case gap(missing: Int, count: Int)
    case noBlank
    case severalBlanks([String])
}

extension TokenTableError: CustomStringConvertible {
    package var description: String {
        let (expected, found) = facts
        return "token table: expected \(expected), got \(found)"
    }

    /// What was expected and what was found, for a list of problems.
    package var facts: (expected: String, found: String) {
        switch self {
        case .tooManyBytes(let limit, let found): ("at most \(limit) bytes", "\(found)")
        case .tooManyTokens(let limit): ("at most \(limit) tokens", "more")
        case .empty: ("one 'symbol id' a line", "no line")
        case .notUTF8(let line): ("UTF-8 on line \(line)", "other bytes")
        case .columns(let line, let found):
            ("'symbol id' on line \(line)", "\(found) column\(found == 1 ? "" : "s")")
        case .badID(let line, let found): ("a whole number as id on line \(line)", "'\(found)'")
        case .duplicateSymbol(let symbol, let line):
            ("each symbol once", "'\(symbol)' again on line \(line)")
        case .duplicateID(let id, let line): ("each id once", "\(id) again on line \(line)")
        case .gap(let missing, let count):
            ("ids 0 to \(count - 1) without a gap", "no id \(missing)")
        case .noBlank: ("a blank: <blk>, <blank> or <eps>", "none")
        case .severalBlanks(let symbols): ("one blank", symbols.joined(separator: " and "))
        }
    }
}

/// The output symbols of a CTC model, by id, as `tokens.txt` lists them.
///
/// sherpa-onnx ends the process over a table without a blank, and aborts on an id that the table
/// lacks: so ids must be dense from 0 and one symbol must be the blank.
package struct TokenTable: Sendable, Hashable {
    package static let byteLimit = 4 << 20
    package static let tokenLimit = 200_000
    package static let blanks: Set<String> = ["<blk>", "<blank>", "<eps>"]
    /// U+2581, which starts a token that starts a word.
    package static let wordMark: Character = "\u{2581}"

    /// The symbol of each id, from 0.
    package let symbols: [String]
    package let blank: Int

    package var count: Int { symbols.count }

    /// Reads `symbol id` lines; a line of an id alone means the symbol " ", as sherpa-onnx reads it.
    package init(parsing bytes: [UInt8]) throws(TokenTableError) {
        guard bytes.count <= Self.byteLimit else {
            throw .tooManyBytes(limit: Self.byteLimit, found: bytes.count)
        }
        var symbolByID: [Int: String] = [:]
        var seen: Set<String> = []
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count <= Self.tokenLimit else { throw .tooManyTokens(limit: Self.tokenLimit) }
        for (index, line) in lines.enumerated() {
            let (symbol, id) = try Self.token(line, line: index + 1)
            guard seen.insert(symbol).inserted else {
                throw .duplicateSymbol(symbol, line: index + 1)
            }
            guard symbolByID.updateValue(symbol, forKey: id) == nil else {
                throw .duplicateID(id, line: index + 1)
            }
        }
        try self.init(symbolByID)
    }

    private init(_ symbolByID: [Int: String]) throws(TokenTableError) {
        guard !symbolByID.isEmpty else { throw .empty }
        var symbols: [String] = []
        for id in 0..<symbolByID.count {
            guard let symbol = symbolByID[id] else {
                throw .gap(missing: id, count: symbolByID.count)
            }
            symbols.append(symbol)
        }
        let blanks = symbols.indices.filter { Self.blanks.contains(symbols[$0]) }
        guard let blank = blanks.first else { throw .noBlank }
        guard blanks.count == 1 else { throw .severalBlanks(blanks.map { symbols[$0] }) }
        self.symbols = symbols
        self.blank = blank
    }

    /// The words, where every token but the blank and other `<...>` symbols is a whole word
    /// (begins with `wordMark`); nil for tables of characters or word pieces.
    package var vocabulary: Set<String>? {
        let spoken = symbols.filter { !($0.hasPrefix("<") && $0.hasSuffix(">")) }
        guard !spoken.isEmpty, spoken.allSatisfy({ $0.first == Self.wordMark && $0.count > 1 })
        else { return nil }
        return Set(spoken.map { String($0.dropFirst()).lowercased() })
    }

    private static func token(
        _ line: ArraySlice<UInt8>, line number: Int
    ) throws(TokenTableError) -> (symbol: String, id: Int) {
        let trimmed = line.last == 0x0D ? line.dropLast() : line
        let columns = trimmed.split { $0 == 0x20 || $0 == 0x09 }
        guard columns.count == 1 || columns.count == 2 else {
            throw .columns(line: number, found: columns.count)
        }
        guard let symbol = String(validating: columns[0], as: UTF8.self),
            let last = String(validating: columns[columns.count - 1], as: UTF8.self)
        else { throw .notUTF8(line: number) }
        // A symbol alone is an error; an id alone stands for a space.
        guard last.utf8.allSatisfy({ (0x30...0x39).contains($0) }), last.utf8.count <= 6,
            let id = Int(last)
        else {
            if columns.count == 1 { throw .columns(line: number, found: 1) }
            throw .badID(line: number, found: last)
        }
        return (columns.count == 1 ? " " : symbol, id)
    }
}
