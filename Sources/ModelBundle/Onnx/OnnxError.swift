/// Why bytes are not an ONNX model that we can look into; offsets count bytes from 0.
package enum OnnxError: Error, Sendable, Hashable {
    case file(BundleFileError)
    case truncated(offset: Int64)
    case longVarint(offset: Int64)
    /// Group, or a number that protobuf does not know.
    case wireType(Int, offset: Int64)
    /// A field that has another wire type than onnx.proto gives it.
    case fieldType(field: Int, offset: Int64)
    case zeroField(offset: Int64)
    case notUTF8(offset: Int64)
    case tooDeep(limit: Int)
    case tooMany(String, limit: Int)
    case tooLong(String, limit: Int, offset: Int64)
    case noGraph
    case repeatedGraph
}

extension OnnxError: CustomStringConvertible {
    package var description: String { "ONNX model: expected \(facts.expected), got \(facts.found)" }

    /// What was expected and what was found, for a list of problems.
    package var facts: (expected: String, found: String) {
        switch self {
        case .file(let error): ("a file to read", error.description)
        case .truncated(let offset): ("more bytes at \(offset)", "the end")
        case .longVarint(let offset): ("a number of at most 10 bytes at \(offset)", "a longer one")
        case .wireType(let type, let offset): ("a protobuf field at \(offset)", "wire type \(type)")
        case .fieldType(let field, let offset):
            ("field \(field) of onnx.proto at \(offset)", "another type")
        case .zeroField(let offset): ("a protobuf field at \(offset)", "field number 0")
        case .notUTF8(let offset): ("UTF-8 at \(offset)", "other bytes")
        case .tooDeep(let limit): ("at most \(limit) graphs inside one another", "more")
        case .tooMany(let thing, let limit): ("at most \(limit) \(thing)", "more")
        case .tooLong(let thing, let limit, let offset):
            ("\(thing) of at most \(limit) bytes at \(offset)", "a longer one")
        case .noGraph: ("a graph", "none")
        case .repeatedGraph: ("one graph", "several")
        }
    }
}
