import Primitives

/// One field of a protobuf message: its number, and where its value lies.
struct ProtobufField {
    enum Value {
        case varint(UInt64)
        case fixed
        /// Bytes of the file: a string, a message, packed numbers.
        case bytes(Range<Int64>)
    }

    let number: Int
    let value: Value
    /// Where the field starts, for an error.
    let offset: Int64
}

/// Walks protobuf's wire format (protobuf.dev/programming-guides/encoding) through a window of 64 KiB.
///
/// It reads what it is asked for and skips the rest by its length, so weights are never read. Every length is
/// checked against the message around it before it is used, and the fields of a whole file are counted.
struct ProtobufCursor<Files: BundleFiles> {
    static var windowLength: Int { 65_536 }
    static var fieldLimit: Int { 10_000_000 }

    let path: TargetPath
    let files: Files
    let length: Int64
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0
    private var fields = 0

    init(_ path: TargetPath, length: Int64, in files: Files) {
        self.path = path
        self.length = length
        self.files = files
    }

    /// The next field at `position` of a message that ends at `end`, and steps over it; nil at the end.
    mutating func next(
        _ position: inout Int64, end: Int64
    ) throws(OnnxError) -> ProtobufField? {
        guard position < end else { return nil }
        fields += 1
        guard fields <= Self.fieldLimit else { throw .tooMany("fields", limit: Self.fieldLimit) }
        let start = position
        let tag = try varint(&position, end: end)
        guard tag >> 3 != 0 else { throw .zeroField(offset: start) }
        guard tag >> 3 < 1 << 29 else { throw .wireType(Int(tag & 7), offset: start) }
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0:
            let value = try varint(&position, end: end)
            return ProtobufField(number: number, value: .varint(value), offset: start)
        case 1, 5:
            let width: Int64 = tag & 7 == 1 ? 8 : 4
            guard end - position >= width else { throw .truncated(offset: position) }
            position += width
            return ProtobufField(number: number, value: .fixed, offset: start)
        case 2:
            let count = try varint(&position, end: end)
            guard count <= UInt64(end - position) else { throw .truncated(offset: position) }
            let range = position..<position + Int64(count)
            position = range.upperBound
            return ProtobufField(number: number, value: .bytes(range), offset: start)
        default: throw .wireType(Int(tag & 7), offset: start)
        }
    }

    /// The text in `range`, at most `limit` bytes of it.
    mutating func string(
        _ range: Range<Int64>, _ thing: String, limit: Int
    ) throws(OnnxError) -> String {
        guard range.upperBound - range.lowerBound <= Int64(limit) else {
            throw .tooLong(thing, limit: limit, offset: range.lowerBound)
        }
        var bytes: [UInt8] = []
        for offset in range { bytes.append(try byte(offset)) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .notUTF8(offset: range.lowerBound)
        }
        return text
    }

    /// The number that starts at `position`, which is stepped over.
    mutating func varint(_ position: inout Int64, end: Int64) throws(OnnxError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for index in 0..<10 {
            guard position < end else { throw .truncated(offset: position) }
            let byte = try byte(position)
            position += 1
            guard index < 9 || byte <= 1 else { throw .longVarint(offset: start) }
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte & 0x80 == 0 { return value }
        }
        throw .longVarint(offset: start)
    }

    private mutating func byte(_ offset: Int64) throws(OnnxError) -> UInt8 {
        let index = offset - windowStart
        if index >= 0, index < Int64(window.count) { return window[Int(index)] }
        let count = Int(min(Int64(Self.windowLength), length - offset))
        do {
            window = try files.read(path, at: offset, count: count)
        } catch { throw .file(error) }
        windowStart = offset
        guard let first = window.first else { throw .truncated(offset: offset) }
        return first
    }
}
