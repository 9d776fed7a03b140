package import Primitives

/// One thing that an agent needs, and whether it is there.
package struct Finding: Sendable, Hashable {
    /// What was looked at, in one word.
    package let name: String
    package let isGood: Bool
    package let expected: String
    package let got: String
    /// What a person can do about it; nil where it is good, or the sentence says it all.
    package let hint: String?

    static func good(_ name: String, _ expected: String, _ got: String) -> Finding {
        Finding(name: name, isGood: true, expected: expected, got: got, hint: nil)
    }

    static func bad(
        _ name: String, _ expected: String, _ got: String, hint: String? = nil
    ) -> Finding {
        Finding(name: name, isGood: false, expected: expected, got: got, hint: hint)
    }

    package var json: JSON {
        var fields: JSONObject = [
            "name": .string(name), "good": .bool(isGood), "expected": .string(expected),
            "got": .string(got),
        ]
        fields["hint"] = hint.map { .string($0) }
        return .object(fields)
    }

    /// For people: a line, and the hint on a line of its own.
    package var text: String {
        let word = isGood ? "good" : "BAD "
        let place = name + String(repeating: " ", count: max(1, 16 - name.utf8.count))
        let line = isGood ? got : "expected \(expected), got \(got)"
        return "\(word)  \(place)\(line)\n" + (hint.map { "      hint: \($0)\n" } ?? "")
    }
}
