import Primitives

/// Checks text that people write and that goes to the audit log.
///
/// Canonical JSON writes control characters as they are, and the strict reader refuses them there: a record
/// with one could be read by nobody, and the log would look damaged.
///
/// - Throws: `.malformed` for text that is longer than `limit` bytes, or has a control character such as a
///   line break.
func checkFreeText(
    _ text: String, named path: String, limit: Int
) throws(RegistryError) {
    guard text.utf8.count <= limit else {
        throw .malformed(
            FieldError(
                path: path, expected: "at most \(limit) bytes", found: "\(text.utf8.count)"))
    }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
        throw .malformed(
            FieldError(path: path, expected: "text of one line", found: "a control character"))
    }
}
