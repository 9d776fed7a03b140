extension JSON {
    /// The canonical form that signatures cover: OLPC canonical JSON, as securesystemslib writes it.
    ///
    /// Keys in code point order, no white space, and only `"` and `\` escaped, so that it is not
    /// always a JSON text (control characters stand as they are).
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, style: .canonical, indent: 0)
        return bytes
    }

    /// One line of JSON (RFC 8259), keys in code point order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, style: .compact, indent: 0)
        return bytes
    }

    /// One line of JSON (RFC 8259), keys in code point order.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// JSON for people: one field a line, two spaces a level, a newline at the end.
    package var prettyBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, style: .pretty, indent: 0)
        bytes.append(0x0A)
        return bytes
    }

    private enum Style { case canonical, compact, pretty }

    private func write(to bytes: inout [UInt8], style: Style, indent: Int) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .string(let value): JSON.write(value, to: &bytes, style: style)
        case .array(let elements):
            JSON.list(elements, "[", "]", to: &bytes, style, indent) { element, bytes, indent in
                element.write(to: &bytes, style: style, indent: indent)
            }
        case .object(let fields):
            JSON.list(fields.sorted, "{", "}", to: &bytes, style, indent) { field, bytes, indent in
                JSON.write(field.key, to: &bytes, style: style)
                bytes.append(UInt8(ascii: ":"))
                if style == .pretty { bytes.append(0x20) }
                field.value.write(to: &bytes, style: style, indent: indent)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        to bytes: inout [UInt8], _ style: Style, _ indent: Int,
        each: (Element, inout [UInt8], Int) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            newline(indent + 1, to: &bytes, style)
            each(element, &bytes, indent + 1)
        }
        if !elements.isEmpty { newline(indent, to: &bytes, style) }
        bytes.append(UInt8(ascii: close))
    }

    private static func newline(_ indent: Int, to bytes: inout [UInt8], _ style: Style) {
        guard style == .pretty else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: 2 * indent))
    }

    private static func write(_ string: String, to bytes: inout [UInt8], style: Style) {
        let text = string.utf8
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        guard text.contains(where: { isEscaped($0, style) }) else {
            return bytes.append(contentsOf: text)
        }
        for byte in text {
            guard isEscaped(byte, style) else {
                bytes.append(byte)
                continue
            }
            if byte < 0x20 {
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: Hex.encode([byte]).utf8)
            } else {
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            }
        }
    }

    private static func isEscaped(_ byte: UInt8, _ style: Style) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            || (byte < 0x20 && style != .canonical)
    }
}
