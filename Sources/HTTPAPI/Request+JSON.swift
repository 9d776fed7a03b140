import HTTPTypes
import Hummingbird
import NIOCore
import Primitives
import RegistryCore

extension Request {
    /// The most bytes of a JSON body where nothing else is said.
    static let jsonLimit = 64 << 10

    /// The whole body, of at most `limit` bytes; a longer one is refused before it is read to its end.
    ///
    /// - Throws: `Problem` `too-large`.
    func bytes(limit: Int) async throws -> [UInt8] {
        let tooLarge = Problem(
            .tooLarge, "request body: expected at most \(limit) bytes, got more",
            facts: ["limit": .integer(Int64(limit))])
        if let length = headers[.contentLength].flatMap(Int64.init), length > Int64(limit) {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    /// The body as JSON, of at most `limit` bytes.
    ///
    /// - Throws: `Problem` `too-large` or `malformed-request`.
    func json(limit: Int = jsonLimit) async throws -> JSON {
        let bytes = try await bytes(limit: limit)
        do {
            return try JSON(parsing: bytes, limit: limit)
        } catch {
            throw Problem(.malformedRequest, "request: \(error)")
        }
    }
}

extension Response {
    /// One JSON object.
    init(_ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        self.init(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}

/// Reads the fields of a request; what does not fit becomes a problem that names the field.
func readingFields<Value>(
    _ json: JSON, _ read: (inout Fields) throws(FieldError) -> Value
) throws(Problem) -> Value {
    do throws(FieldError) {
        var fields = try Fields(json)
        let value = try read(&fields)
        try fields.refuseUnknown()
        return value
    } catch {
        throw Problem(.malformedRequest, "request: \(error)")
    }
}
