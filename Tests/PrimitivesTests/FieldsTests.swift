import Primitives
import Testing

struct FieldsTests {
    static let json: JSON = [
        "s": "text", "i": 7, "b": true, "a": [1, "x"], "o": ["inner": ["k": -1]], "n": .null,
    ]

    static func message(_ read: (inout Fields) throws -> Void) -> String {
        do {
            var fields = try Fields(json, at: "")
            try read(&fields)
            return "nothing thrown"
        } catch {
            return "\(error)"
        }
    }

    @Test func `reads fields by name and type`() throws {
        var fields = try Fields(Self.json)
        #expect(try fields.string("s") == "text")
        #expect(try fields.integer("i", in: 1...7) == 7)
        #expect(try fields.bool("b"))
        #expect(try fields.array("a").map(\.json) == [1, "x"])
        #expect(try fields.array("a").map(\.path) == ["a[0]", "a[1]"])
        var inner = try fields.fields("o")
        let entries = try inner.map("inner")
        #expect(entries.map(\.name) == ["k"])
        #expect(entries.map(\.path) == ["o.inner.k"])
        #expect(fields.optional("n") == .null)
        #expect(throws: Never.self) { try fields.refuseUnknown() }
        #expect(fields.unread.isEmpty)
    }

    @Test func `a field that may be absent is not null`() throws {
        var fields = try Fields(Self.json)
        #expect(try fields.optionalString("missing") == nil)
        #expect(try fields.optionalInteger("missing") == nil)
        #expect(try fields.optionalBool("missing") == nil)
        #expect(try fields.optionalFields("missing")?.path == nil)
        #expect(try fields.optionalArray("missing").isEmpty)
        #expect(try fields.optionalParse("missing", "x") { $0 } == nil)
        #expect(
            Self.message { _ = try $0.optionalString("n") }
                == "field 'n': expected a string, got null")
        #expect(
            Self.message { _ = try $0.optionalInteger("n") }
                == "field 'n': expected an integer, got null")
        #expect(
            Self.message { _ = try $0.optionalBool("n") }
                == "field 'n': expected true or false, got null")
        #expect(
            Self.message { _ = try $0.optionalFields("n") }
                == "field 'n': expected an object, got null")
        #expect(
            Self.message { _ = try $0.optionalArray("n") }
                == "field 'n': expected an array, got null")
        #expect(
            Self.message { _ = try $0.optionalParse("n", "x") { $0 } }
                == "field 'n': expected a string, got null")
        #expect(try fields.optionalString("s") == "text")
        #expect(try fields.optionalInteger("i") == 7)
        #expect(try fields.optionalBool("b") == true)
        #expect(try fields.optionalFields("o")?.path == "o")
        #expect(try fields.optionalArray("a").count == 2)
        #expect(try fields.optionalParse("s", "x") { $0.count } == 4)
    }

    @Test func `says which field, what was expected and what was found`() {
        #expect(
            Self.message { _ = try $0.string("i") }
                == "field 'i': expected a string, got an integer")
        #expect(
            Self.message { _ = try $0.string("missing") }
                == "field 'missing': expected a string, got nothing")
        #expect(
            Self.message { _ = try $0.string("s", limit: 3) }
                == "field 's': expected at most 3 bytes, got 4")
        #expect(
            Self.message { _ = try $0.integer("i", in: 8...9) }
                == "field 'i': expected 8 to 9, got 7")
        #expect(
            Self.message { _ = try $0.integer("s") }
                == "field 's': expected an integer, got a string")
        #expect(
            Self.message { _ = try $0.bool("s") }
                == "field 's': expected true or false, got a string")
        #expect(
            Self.message { _ = try $0.array("a", limit: 1) }
                == "field 'a': expected at most 1 elements, got 2")
        #expect(
            Self.message { _ = try $0.array("o") }
                == "field 'o': expected an array, got an object")
        #expect(
            Self.message { _ = try $0.map("a") } == "field 'a': expected an object, got an array")
        #expect(
            Self.message { _ = try $0.map("o", limit: 0) }
                == "field 'o': expected at most 0 fields, got 1")
        #expect(
            Self.message { _ = try $0.fields("s") }
                == "field 's': expected an object, got a string")
        #expect(
            Self.message { _ = try $0.parse("s", "a colour") { _ in nil as Int? } }
                == "field 's': expected a colour, got 'text'")
        #expect(
            Self.message { fields in
                var inner = try fields.fields("o")
                _ = try inner.integer("inner")
            } == "field 'o.inner': expected an integer, got an object")
        #expect(throws: FieldError(path: "", expected: "an object", found: "an array")) {
            try Fields([])
        }
        #expect(
            FieldError(path: "", expected: "an object", found: "an array").description
                == "document: expected an object, got an array")
    }

    @Test func `names the first unknown field, in code point order`() throws {
        var fields = try Fields(["b": 1, "a": 2, "c": 3], at: "x")
        _ = try fields.integer("c")
        #expect(fields.unread == ["a": 2, "b": 1])
        #expect(
            throws: FieldError(
                path: "x.a", expected: "a field of this schema", found: "an unknown one")
        ) { try fields.refuseUnknown() }
    }
}
