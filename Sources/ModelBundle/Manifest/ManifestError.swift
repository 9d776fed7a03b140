package import Primitives

/// Why bytes are not a manifest.
package enum ManifestError: Error, Sendable, Hashable {
    case json(JSONError)
    case field(FieldError)
}

extension ManifestError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .json(let error): "manifest: \(error)"
        case .field(let error): "manifest: \(error)"
        }
    }
}
