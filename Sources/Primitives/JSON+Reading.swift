/// What a JSON text may be at most; a reader refuses more before it allocates for it.
package struct JSONLimits: Sendable, Hashable {
    /// Bytes of the whole text.
    package var bytes: Int
    /// Arrays and objects inside one another.
    package var depth: Int
    /// Values and keys in the whole text.
    package var values: Int

    package init(bytes: Int, depth: Int = 32, values: Int = 1_000_000) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
    }
}

/// Why a text is not the JSON we accept; `offset` counts bytes from 0.
package enum JSONError: Error, Sendable, Hashable {
    case tooLong(limit: Int, found: Int)
    case tooDeep(limit: Int, offset: Int)
    case tooManyValues(limit: Int, offset: Int)
    case unexpectedEnd(offset: Int)
    case unexpectedByte(UInt8, offset: Int, expected: String)
    case notAnInteger(offset: Int)
    case integerOutOfRange(offset: Int)
    case duplicateKey(String, offset: Int)
    case invalidUTF8(offset: Int)
    case invalidEscape(offset: Int)
    case trailingBytes(offset: Int)
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLong(let limit, let found):
            "JSON text: expected at most \(limit) bytes, got \(found)"
        case .tooDeep(let limit, let offset):
            "JSON at byte \(offset): expected at most \(limit) levels, got more"
        case .tooManyValues(let limit, let offset):
            "JSON at byte \(offset): expected at most \(limit) values, got more"
        case .unexpectedEnd(let offset):
            "JSON at byte \(offset): expected more, got the end of the text"
        case .unexpectedByte(let byte, let offset, let expected):
            "JSON at byte \(offset): expected \(expected), got byte 0x\(Hex.encode([byte]))"
        case .notAnInteger(let offset):
            "JSON at byte \(offset): expected an integer, got a number with a fraction, exponent or leading zero"
        case .integerOutOfRange(let offset):
            "JSON at byte \(offset): expected an integer of 64 bits, got a larger one"
        case .duplicateKey(let key, let offset):
            "JSON at byte \(offset): expected each key once, got '\(key)' again"
        case .invalidUTF8(let offset):
            "JSON at byte \(offset): expected UTF-8, got other bytes"
        case .invalidEscape(let offset):
            "JSON at byte \(offset): expected an escape of RFC 8259, got another"
        case .trailingBytes(let offset):
            "JSON at byte \(offset): expected the end of the text, got more"
        }
    }
}

extension JSON {
    /// Reads a whole JSON text (RFC 8259) strictly: no duplicate keys, no fractions or exponents, no
    /// lone surrogates, nothing after the value, nothing beyond `limits`.
    ///
    /// - Throws: `JSONError`.
    package init(parsing bytes: [UInt8], limits: JSONLimits) throws(JSONError) {
        guard bytes.count <= limits.bytes else {
            throw .tooLong(limit: limits.bytes, found: bytes.count)
        }
        var reader = JSONReader(bytes: bytes, limits: limits)
        self = try reader.document()
    }

    /// Reads a JSON text of at most `limit` bytes.
    package init(parsing bytes: [UInt8], limit: Int) throws(JSONError) {
        try self.init(parsing: bytes, limits: JSONLimits(bytes: limit))
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    let limits: JSONLimits
    var position = 0
    var depth = 0
    var values = 0

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> JSON {
        skipSpace()
        let value = try self.value()
        skipSpace()
        guard position == bytes.count else { throw .trailingBytes(offset: position) }
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard position < bytes.count else { throw .unexpectedEnd(offset: position) }
        return bytes[position]
    }

    private mutating func expect(_ byte: UInt8, _ expected: String) throws(JSONError) {
        let found = try peek()
        guard found == byte else {
            throw .unexpectedByte(found, offset: position, expected: expected)
        }
        position += 1
    }

    private mutating func count() throws(JSONError) {
        values += 1
        guard values <= limits.values else {
            throw .tooManyValues(limit: limits.values, offset: position)
        }
    }

    private mutating func value() throws(JSONError) -> JSON {
        try count()
        switch try peek() {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try integer()
        case let byte: throw .unexpectedByte(byte, offset: position, expected: "a value")
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in text.description.utf8 { try expect(byte, text.description) }
        return value
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth, offset: position) }
        position += 1
        skipSpace()
    }

    private mutating func object() throws(JSONError) -> JSON {
        try enter()
        var fields = JSONObject()
        if try peek() != UInt8(ascii: "}") {
            while true {
                let start = position
                try count()
                let key = try string()
                skipSpace()
                try expect(UInt8(ascii: ":"), "':'")
                skipSpace()
                guard fields.insert(try value(), at: key) else {
                    throw .duplicateKey(key, offset: start)
                }
                guard try another(before: UInt8(ascii: "}"), "',' or '}'") else { break }
            }
        }
        position += 1
        depth -= 1
        return .object(fields)
    }

    private mutating func array() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        if try peek() != UInt8(ascii: "]") {
            while true {
                elements.append(try value())
                guard try another(before: UInt8(ascii: "]"), "',' or ']'") else { break }
            }
        }
        position += 1
        depth -= 1
        return .array(elements)
    }

    /// Steps over a comma; false, without a step, at the closing byte.
    private mutating func another(
        before closing: UInt8, _ expected: String
    ) throws(JSONError) -> Bool {
        skipSpace()
        if try peek() == closing { return false }
        try expect(UInt8(ascii: ","), expected)
        skipSpace()
        return true
    }

    private mutating func integer() throws(JSONError) -> JSON {
        let start = position
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        let first = position
        var value: Int64 = 0
        while position < bytes.count, case let byte = bytes[position],
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        {
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (tenfold, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, past) = tenfold.addingReportingOverflow(negative ? -digit : digit)
            guard !over, !past else { throw .integerOutOfRange(offset: start) }
            value = sum
            position += 1
        }
        guard position > first else {
            guard position < bytes.count else { throw .unexpectedEnd(offset: position) }
            throw .unexpectedByte(bytes[position], offset: position, expected: "a digit")
        }
        let leadingZero = bytes[first] == UInt8(ascii: "0") && (position > first + 1 || negative)
        guard !leadingZero else { throw .notAnInteger(offset: start) }
        if position < bytes.count, ".eE".utf8.contains(bytes[position]) {
            throw .notAnInteger(offset: start)
        }
        return .integer(value)
    }

    private mutating func string() throws(JSONError) -> String {
        try expect(UInt8(ascii: "\""), "'\"'")
        let start = position
        var text: [UInt8] = []
        while true {
            let byte = try peek()
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw .invalidUTF8(offset: start)
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20:
                throw .unexpectedByte(
                    byte, offset: position - 1, expected: "an escaped control character")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let start = position - 1
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try unicodeEscape(from: start)
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw .invalidEscape(offset: start)
        }
    }

    private mutating func unicodeEscape(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try fourDigits(from: start)
        var code = UInt32(first)
        if (0xD800..<0xDC00).contains(first) {
            guard try peek() == UInt8(ascii: "\\") else { throw .invalidEscape(offset: start) }
            position += 1
            guard try peek() == UInt8(ascii: "u") else { throw .invalidEscape(offset: start) }
            position += 1
            let second = try fourDigits(from: start)
            guard (0xDC00..<0xE000).contains(second) else { throw .invalidEscape(offset: start) }
            code = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw .invalidEscape(offset: start) }
        return scalar
    }

    private mutating func fourDigits(from start: Int) throws(JSONError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(of: try peek()) else { throw .invalidEscape(offset: start) }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }
}
