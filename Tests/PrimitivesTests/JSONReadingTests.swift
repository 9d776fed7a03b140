import Primitives
import Testing

struct JSONReadingTests {
    static func read(_ text: String, limit: Int = 10_000) throws(JSONError) -> JSON {
        try JSON(parsing: Array(text.utf8), limit: limit)
    }

    static let good: [(String, JSON)] = [
        ("null", JSON.null), ("true", true), ("false", false), ("0", 0), ("-1", -1),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("\"\"", ""), ("[]", []), ("{}", [:]), (" [ 1 , 2 ]\r\n\t", [1, 2]),
        ("{\"a\":{\"b\":[null]}, \"c\" : 1}", ["a": ["b": [.null]], "c": 1]),
        (#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\uDE00""#, "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F600}"),
        ("\"\u{E9}\u{1F600}\"", "\u{E9}\u{1F600}"),
    ]

    @Test(arguments: good)
    func `reads what is JSON`(text: String, value: JSON) throws {
        #expect(try Self.read(text) == value)
    }

    static let bad: [(String, JSONError)] = [
        ("", JSONError.unexpectedEnd(offset: 0)), (" ", .unexpectedEnd(offset: 1)),
        ("[1", .unexpectedEnd(offset: 2)), ("{\"a\"", .unexpectedEnd(offset: 4)),
        ("\"abc", .unexpectedEnd(offset: 4)), ("-", .unexpectedEnd(offset: 1)),
        ("tru", .unexpectedEnd(offset: 3)),
        ("1 2", .trailingBytes(offset: 2)), ("{}{}", .trailingBytes(offset: 2)),
        ("[1,]", .unexpectedByte(0x5D, offset: 3, expected: "a value")),
        ("{\"a\":1,}", .unexpectedByte(0x7D, offset: 7, expected: "'\"'")),
        ("{a:1}", .unexpectedByte(0x61, offset: 1, expected: "'\"'")),
        ("{\"a\" 1}", .unexpectedByte(0x31, offset: 5, expected: "':'")),
        ("[1 2]", .unexpectedByte(0x32, offset: 3, expected: "',' or ']'")),
        ("nul1", .unexpectedByte(0x31, offset: 3, expected: "null")),
        ("+1", .unexpectedByte(0x2B, offset: 0, expected: "a value")),
        ("-a", .unexpectedByte(0x61, offset: 1, expected: "a digit")),
        ("NaN", .unexpectedByte(0x4E, offset: 0, expected: "a value")),
        ("\u{FEFF}1", .unexpectedByte(0xEF, offset: 0, expected: "a value")),
        ("'a'", .unexpectedByte(0x27, offset: 0, expected: "a value")),
        ("[1]//", .trailingBytes(offset: 3)),
        ("\"a\nb\"", .unexpectedByte(0x0A, offset: 2, expected: "an escaped control character")),
    ]

    @Test(arguments: bad)
    func `refuses what is not JSON, and says where`(text: String, error: JSONError) {
        #expect(throws: error) { try Self.read(text) }
    }

    @Test(arguments: ["1.0", "1e2", "1E2", "0.5", "-1.5", "01", "-0", "00", "[1.0]"])
    func `refuses numbers that are not plain integers`(text: String) {
        let offset = text.hasPrefix("[") ? 1 : 0
        #expect(throws: JSONError.notAnInteger(offset: offset)) { try Self.read(text) }
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"])
    func `refuses integers beyond 64 bits`(text: String) {
        #expect(throws: JSONError.integerOutOfRange(offset: 0)) { try Self.read(text) }
    }

    @Test func `refuses duplicate keys, however they are spelled`() {
        #expect(throws: JSONError.duplicateKey("a", offset: 7)) {
            try Self.read("{\"a\":1,\"a\":2}")
        }
        #expect(throws: JSONError.duplicateKey("a", offset: 7)) {
            try Self.read(#"{"a":1,"\u0061":2}"#)
        }
        #expect(throws: JSONError.duplicateKey("b", offset: 15)) {
            try Self.read("[{\"a\":{\"b\":1  ,\"b\":1}}]")
        }
    }

    @Test func `keeps keys apart that Unicode takes for one`() throws {
        let json = try Self.read("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(json["\u{E9}"] == 1 && json["e\u{301}"] == 2)
        #expect(json.bytes == Array("{\"e\u{301}\":2,\"\u{E9}\":1}".utf8))
        #expect(try Self.read("{\"e\u{301}\":1}") != Self.read("{\"\u{E9}\":1}"))
    }

    /// A hash of the normalised form takes the square of the run's length: thousands of times as long.
    @Test func `a key of combining marks costs what one of letters does`() throws {
        func cost(_ unit: String) throws -> Duration {
            let key = String(repeating: unit, count: 65_536 / unit.utf8.count)
            let text = Array("{\"\(key)\":{\"\(key)x\":[]}}".utf8)
            var least = Duration.seconds(3_600)
            for _ in 0..<3 {
                let time = try ContinuousClock().measure {
                    let json = try JSON(parsing: text, limit: 1 << 20)
                    var fields = try Fields(json)
                    #expect(fields.optional("signed") == nil)
                    #expect(fields.unread.count == 1)
                    #expect(json.canonicalBytes.count == text.count)
                    #expect(throws: FieldError.self) { try fields.refuseUnknown() }
                }
                least = min(least, time)
            }
            return least
        }
        let letters = try cost("ab")
        for marks in ["\u{301}\u{316}", "\u{316}", "\u{1D165}"] {
            #expect(try cost(marks) < letters * 100, "\(marks.unicodeScalars.map(\.value))")
        }
    }

    @Test(arguments: [
        #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\ud83d""#, #""\ude00""#,
        #""\u12g4""#, #""\x41""#, #""\U0041""#,
    ])
    func `refuses lone surrogates and unknown escapes`(text: String) {
        #expect(throws: JSONError.invalidEscape(offset: 1)) { try Self.read(text) }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
            [0xFF],
        ] as [[UInt8]])
    func `refuses strings that are not UTF-8`(bytes: [UInt8]) {
        #expect(throws: JSONError.invalidUTF8(offset: 1)) {
            try JSON(parsing: [0x22] + bytes + [0x22], limit: 100)
        }
    }

    @Test func `counts levels, values and bytes up to their limits`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        let limits = JSONLimits(bytes: 1_000_000, depth: 8, values: 5)
        #expect(throws: JSONError.tooManyValues(limit: 5, offset: 5)) {
            try JSON(parsing: nested(8), limits: limits)
        }
        let deep = JSONLimits(bytes: 1_000_000, depth: 8)
        #expect(throws: Never.self) { try JSON(parsing: nested(8), limits: deep) }
        #expect(throws: JSONError.tooDeep(limit: 8, offset: 8)) {
            try JSON(parsing: nested(9), limits: deep)
        }
        #expect(throws: JSONError.tooDeep(limit: 32, offset: 32)) {
            try JSON(parsing: nested(400_000), limits: JSONLimits(bytes: 1_000_000))
        }
        #expect(throws: JSONError.tooManyValues(limit: 5, offset: 9)) {
            try JSON(parsing: Array("[1,2,3,4,5]".utf8), limits: limits)
        }
        #expect(throws: Never.self) { try Self.read("[1,2]", limit: 5) }
        #expect(throws: JSONError.tooLong(limit: 5, found: 6)) { try Self.read("[1, 2]", limit: 5) }
    }

    @Test func `describes an error by thing, expected and found`() {
        let cases: [(JSONError, String)] = [
            (.tooLong(limit: 5, found: 6), "JSON text: expected at most 5 bytes, got 6"),
            (.tooDeep(limit: 3, offset: 7), "JSON at byte 7: expected at most 3 levels, got more"),
            (
                .tooManyValues(limit: 3, offset: 7),
                "JSON at byte 7: expected at most 3 values, got more"
            ),
            (.unexpectedEnd(offset: 1), "JSON at byte 1: expected more, got the end of the text"),
            (
                .unexpectedByte(0x0A, offset: 2, expected: "':'"),
                "JSON at byte 2: expected ':', got byte 0x0a"
            ),
            (
                .notAnInteger(offset: 0),
                "JSON at byte 0: expected an integer, got a number with a fraction, exponent or leading zero"
            ),
            (
                .integerOutOfRange(offset: 0),
                "JSON at byte 0: expected an integer of 64 bits, got a larger one"
            ),
            (
                .duplicateKey("a", offset: 4),
                "JSON at byte 4: expected each key once, got 'a' again"
            ),
            (.invalidUTF8(offset: 1), "JSON at byte 1: expected UTF-8, got other bytes"),
            (
                .invalidEscape(offset: 1),
                "JSON at byte 1: expected an escape of RFC 8259, got another"
            ),
            (.trailingBytes(offset: 9), "JSON at byte 9: expected the end of the text, got more"),
        ]
        for (error, text) in cases { #expect(error.description == text) }
    }
}
