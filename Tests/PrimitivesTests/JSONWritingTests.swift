import Primitives
import TestSupport
import Testing

struct JSONWritingTests {
    /// Written by securesystemslib 1.6.0's `encode_canonical` from the same value.
    @Test func `writes the canonical form that securesystemslib writes`() throws {
        let text = #"""
            {"b": [1, -2, true, null, false, {}], "a": "q\"uo\\te\n\u0001\u00e9\ud83d\ude00/\u007f",
             "\u00e9": {"z": 0, "Z": 1, "\ud83d\ude00": 2, "\uffff": 3}}
            """#
        let value = try JSON(parsing: Array(text.utf8), limit: 1_000)
        #expect(
            Hex.encode(value.canonicalBytes)
                == "7b2261223a22715c22756f5c5c74650a01c3a9f09f98802f7f222c2262223a5b312c2d322c74"
                + "7275652c6e756c6c2c66616c73652c7b7d5d2c22c3a9223a7b225a223a312c227a223a302c22"
                + "efbfbf223a332c22f09f9880223a327d7d")
    }

    @Test func `escapes control characters on the wire, and not in the canonical form`() {
        let value: JSON = ["a": "\n\u{1}\"\\"]
        #expect(value.text == #"{"a":"\u000a\u0001\"\\"}"#)
        #expect(value.canonicalBytes == Array("{\"a\":\"\n\u{1}\\\"\\\\\"}".utf8))
    }

    @Test func `writes for people with one field a line`() {
        let value: JSON = ["b": [1, []], "a": [:], "c": ["x": .null]]
        let text = """
            {
              "a": {},
              "b": [
                1,
                []
              ],
              "c": {
                "x": null
              }
            }

            """
        #expect(String(decoding: value.prettyBytes, as: UTF8.self) == text)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `reads back what it wrote, byte for byte`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = Self.value(depth: 4, &random)
        for bytes in [value.bytes, value.prettyBytes] {
            let read = try JSON(parsing: bytes, limit: 1_000_000)
            #expect(read == value)
            #expect(read.bytes == value.bytes)
            #expect(read.canonicalBytes == value.canonicalBytes)
        }
    }

    static func value(depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64.random(in: .min ... .max, using: &random))
        case 3, 4: .string(text(&random))
        case 5:
            .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    value(depth: depth - 1, &random)
                })
        default:
            .object(
                JSONObject(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        (text(&random), value(depth: depth - 1, &random))
                    }))
        }
    }

    static func text(_ random: inout SeededGenerator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let limit: UInt32 = Bool.random(using: &random) ? 0x80 : 0x11_0000
            let code = UInt32.random(in: 0..<limit, using: &random)
            if let scalar = Unicode.Scalar(code) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    @Test func `gives values by kind, and nil for another kind`() {
        let value: JSON = ["s": "x", "i": 1, "b": true, "a": [1], "o": [:], "n": .null]
        #expect(value["s"]?.string == "x")
        #expect(value["i"]?.integer == 1)
        #expect(value["b"]?.bool == true)
        #expect(value["a"]?.array == [1])
        #expect(value["o"]?.object == [:])
        #expect(value["x"] == nil)
        #expect(JSON.null["s"] == nil)
        for other in [JSON.null, "\(1)"] {
            #expect(other.integer == nil)
            #expect(other.bool == nil)
            #expect(other.array == nil)
            #expect(other.object == nil)
        }
        #expect(JSON.integer(1).string == nil)
        let kinds = ["s", "i", "b", "a", "o", "n"].map { value[$0]?.kind }
        #expect(
            kinds == ["a string", "an integer", "a boolean", "an array", "an object", "null"])
    }
}
