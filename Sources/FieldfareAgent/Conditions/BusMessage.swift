/// The few messages of the D-Bus protocol that asking for a property takes (D-Bus Specification 0.43, "Message Protocol").
///
/// Little-endian, as this machine is; a peer that answers otherwise is not understood.
enum BusMessage {
    /// A message's length at most; the specification allows 128 MiB.
    static let byteLimit = 64 << 10
    /// The fixed head: up to the length of the field array.
    static let headLength = 16

    /// A basic value, of the types that are asked for.
    enum Value: Hashable {
        case bool(Bool)
        case number(UInt32)
        case real(Double)
    }

    /// What an answer to a call says.
    enum Reply: Hashable {
        case value(Value)
        /// It returned nothing, or something of another type.
        case other
        case failed
    }

    /// A method call.
    ///
    /// - Parameters:
    ///   - member: its name.
    ///   - interface: the interface that it belongs to.
    ///   - path: the object.
    ///   - destination: the bus name.
    ///   - serial: at least 1, and its own.
    ///   - texts: its arguments, strings all.
    /// - Returns: the message's bytes.
    static func call(
        _ member: String, of interface: String, at path: String, on destination: String,
        serial: UInt32, _ texts: [String] = []
    ) -> [UInt8] {
        var body = Writer()
        for text in texts { body.text(text) }
        var writer = Writer()
        // A call; services that do not run are not started for it.
        writer.bytes += [0x6C, 1, 2, 1]
        writer.number(UInt32(body.bytes.count))
        writer.number(serial)
        var fields = Writer()
        fields.field(1, type: "o", path)
        fields.field(2, type: "s", interface)
        fields.field(3, type: "s", member)
        fields.field(6, type: "s", destination)
        if !texts.isEmpty {
            fields.pad(to: 8)
            fields.bytes += [8]
            fields.signature("g")
            fields.signature(String(repeating: "s", count: texts.count))
        }
        writer.number(UInt32(fields.bytes.count))
        writer.bytes += fields.bytes
        writer.pad(to: 8)
        return writer.bytes + body.bytes
    }

    /// The length of a whole message by its first 16 bytes; nil where that is none, or beyond the limit.
    static func length(head: [UInt8]) -> Int? {
        guard head.count >= headLength, head[0] == 0x6C, head[3] == 1 else { return nil }
        var reader = Reader(bytes: head[...], offset: 4)
        guard let body = reader.number(), reader.number() != nil, let fields = reader.number(),
            Int(body) <= byteLimit, Int(fields) <= byteLimit
        else { return nil }
        let length = (headLength + Int(fields) + 7) / 8 * 8 + Int(body)
        return length <= byteLimit ? length : nil
    }

    /// What a message says about the call of this serial; nil where it is about something else, or no message.
    static func reply(in message: [UInt8], to serial: UInt32) -> Reply? {
        guard length(head: message) == message.count else { return nil }
        var reader = Reader(bytes: message[...], offset: 12)
        guard let fieldsLength = reader.number() else { return nil }
        let end = headLength + Int(fieldsLength)
        var answersTo: UInt32?
        var signature = ""
        while reader.offset < end {
            reader.align(to: 8)
            guard let code = reader.byte(), let type = reader.signature() else { return nil }
            switch type {
            case "o", "s": guard reader.text() != nil else { return nil }
            case "g":
                guard let text = reader.signature() else { return nil }
                if code == 8 { signature = text }
            case "u":
                guard let number = reader.number() else { return nil }
                if code == 5 { answersTo = number }
            default: return nil
            }
        }
        guard reader.offset == end, answersTo == serial else { return nil }
        switch message[1] {
        case 2:
            reader.align(to: 8)
            guard signature == "v", let value = reader.variant() else { return .other }
            return .value(value)
        case 3: return .failed
        default: return nil
        }
    }

    // MARK: Bytes

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func pad(to border: Int) {
            while !bytes.count.isMultiple(of: border) { bytes.append(0) }
        }

        mutating func number(_ number: UInt32) {
            pad(to: 4)
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }

        mutating func text(_ text: String) {
            number(UInt32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
        }

        mutating func signature(_ text: String) {
            bytes += [UInt8(text.utf8.count)] + Array(text.utf8) + [0]
        }

        mutating func field(_ code: UInt8, type: String, _ text: String) {
            pad(to: 8)
            bytes += [code]
            signature(type)
            self.text(text)
        }
    }

    /// Reads values in their order; nil beyond the end.
    private struct Reader {
        let bytes: ArraySlice<UInt8>
        var offset: Int

        mutating func align(to border: Int) { offset = (offset + border - 1) / border * border }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
                return nil
            }
            defer { offset += count }
            return bytes[offset..<(offset + count)]
        }

        mutating func byte() -> UInt8? { take(1)?.first }

        mutating func number() -> UInt32? {
            align(to: 4)
            return take(4)?.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }

        /// Eight bytes.
        mutating func long() -> UInt64? {
            align(to: 8)
            return take(8)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func text() -> String? {
            guard let length = number(), let text = take(Int(length)), byte() == 0 else {
                return nil
            }
            return String(decoding: text, as: UTF8.self)
        }

        mutating func signature() -> String? {
            guard let length = byte(), let text = take(Int(length)), byte() == 0 else { return nil }
            return String(decoding: text, as: UTF8.self)
        }

        mutating func variant() -> Value? {
            switch signature() {
            case "b": number().flatMap { $0 <= 1 ? .bool($0 == 1) : nil }
            case "u": number().map { .number($0) }
            case "d": long().map { .real(Double(bitPattern: $0)) }
            default: nil
            }
        }
    }
}
