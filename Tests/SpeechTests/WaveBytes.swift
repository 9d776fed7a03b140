/// A WAV file in parts, each of which a test can make wrong.
struct WaveBytes {
    var riff = Array("RIFF".utf8)
    var kind = Array("WAVE".utf8)
    /// What the RIFF chunk claims beyond the truth.
    var lengthError = 0
    var format = 1
    var channels = 1
    var rate = 16_000
    var bits = 16
    var blockAlignment: Int?
    var byteRate: Int?
    var formatPadding = 0
    var before: [(id: String, body: [UInt8])] = []
    var after: [(id: String, body: [UInt8])] = []
    var data: [UInt8]
    var formatFirst = true
    var withFormat = true
    var withData = true

    /// A sound of so many samples, which count up from -100.
    init(samples: Int = 8_000) {
        data = (0..<samples).flatMap { index in
            let value = UInt16(bitPattern: Int16(truncatingIfNeeded: index - 100))
            return [UInt8(value & 0xFF), UInt8(value >> 8)]
        }
    }

    var bytes: [UInt8] {
        var body = kind
        for chunk in before { body += Self.chunk(chunk.id, chunk.body) }
        let formatChunk = withFormat ? Self.chunk("fmt ", formatBody) : []
        let dataChunk = withData ? Self.chunk("data", data) : []
        body += formatFirst ? formatChunk + dataChunk : dataChunk + formatChunk
        for chunk in after { body += Self.chunk(chunk.id, chunk.body) }
        return riff + Self.number(body.count + lengthError, 4) + body
    }

    private var formatBody: [UInt8] {
        let alignment = blockAlignment ?? channels * bits / 8
        return Self.number(format, 2) + Self.number(channels, 2) + Self.number(rate, 4)
            + Self.number(byteRate ?? rate * alignment, 4) + Self.number(alignment, 2)
            + Self.number(bits, 2) + [UInt8](repeating: 0, count: formatPadding)
    }

    static func chunk(_ id: String, _ body: [UInt8]) -> [UInt8] {
        let padding: [UInt8] = body.count.isMultiple(of: 2) ? [] : [0]
        return Array(id.utf8) + number(body.count, 4) + body + padding
    }

    static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(value >> (8 * $0) & 0xFF) }
    }
}
