package import PosixFiles
package import Primitives

/// Why a configuration cannot be used; `file` is the one at fault, nil for what no file sets.
package struct ConfigurationError: Error, Sendable, Hashable {
    package enum Reason: Error, Sendable, Hashable {
        case unreadable(FileError)
        case json(JSONError)
        case field(FieldError)
        /// A field that has no default, and that no file sets.
        case missing(String)
        /// The registry's URL is not `https://host[:port]`.
        case notHTTPS(String)
    }

    package let file: String?
    package let reason: Reason

    package init(file: String?, reason: Reason) {
        self.file = file
        self.reason = reason
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        let place = file.map { "configuration '\($0)'" } ?? "configuration"
        return switch reason {
        case .unreadable(let error): "\(place): \(error)"
        case .json(let error): "\(place): \(error)"
        case .field(let error): "\(place): \(error)"
        case .missing(let key): "\(place): field '\(key)': expected a value, got nothing"
        case .notHTTPS(let url):
            "\(place): field 'registry': expected https://host or https://host:port, got '\(url)'"
        }
    }
}
