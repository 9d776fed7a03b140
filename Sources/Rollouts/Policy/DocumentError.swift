package import Primitives

/// Why the bytes of a policy, plan, approval or lift are not one that we read.
package enum DocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    case malformed(JSONError)
    case wrong(FieldError)

    package var description: String {
        switch self {
        case .malformed(let error): error.description
        case .wrong(let error): error.description
        }
    }

    /// Reads strict JSON of at most `limit` bytes, and what `read` makes of it.
    static func reading<Value>(
        _ bytes: [UInt8], limit: Int, _ read: (JSON) throws(FieldError) -> Value
    ) throws(DocumentError) -> Value {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: limit) } catch { throw .malformed(error) }
        do { return try read(json) } catch { throw .wrong(error) }
    }
}
