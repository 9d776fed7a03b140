import Glibc

/// The process's environment, read where a program starts.
package enum Environment {
    /// The value of a variable; nil where it is missing or empty.
    package static func value(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
