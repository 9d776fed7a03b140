import Primitives

/// A program that signs for a key file of protection `external`: `docs/formats/signer.md`.
package struct ExternalProgram: Sendable, Hashable {
    /// Seconds that it may take.
    package static let timeoutAllowed: ClosedRange<Int64> = 1...600
    package static let standardTimeout: Int64 = 60
    static let wordsAllowed = 1...32
    static let wordLimit = 1_024
    static let expected = "an absolute path and at most 31 arguments, of at most 1024 bytes each"

    /// The program's absolute path, and its arguments.
    package let words: [String]
    package let timeoutSeconds: Int64

    /// Nil unless the first word is an absolute path, and all is within its limits.
    package init?(_ words: [String], timeoutSeconds: Int64 = standardTimeout) {
        guard Self.wordsAllowed.contains(words.count), words[0].hasPrefix("/"),
            words.allSatisfy({ $0.utf8.count <= Self.wordLimit && !$0.utf8.contains(0) }),
            Self.timeoutAllowed.contains(timeoutSeconds)
        else { return nil }
        self.words = words
        self.timeoutSeconds = timeoutSeconds
    }

    init(reading fields: inout Fields) throws(FieldError) {
        var words: [String] = []
        for (json, path) in try fields.array("program", limit: Self.wordsAllowed.upperBound) {
            guard let word = json.string else {
                throw FieldError(path: path, expected: "a string", found: json.kind)
            }
            words.append(word)
        }
        let timeout = try fields.integer("timeout_s", in: Self.timeoutAllowed)
        guard let program = ExternalProgram(words, timeoutSeconds: timeout) else {
            throw FieldError(
                path: fields.path(of: "program"), expected: Self.expected, found: "other words")
        }
        self = program
    }

    var fields: JSONObject {
        [
            "protection": "external", "program": .array(words.map { .string($0) }),
            "timeout_s": .integer(timeoutSeconds),
        ]
    }
}
