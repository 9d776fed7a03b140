/// One thing that is wrong with a bundle before it is published, or doubtful.
package struct BundleProblem: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable {
        /// The bundle is not built.
        case error
        /// The bundle is built, and the person told.
        case warning
    }

    package let severity: Severity
    /// A file, or a field of bundle.yaml.
    package let thing: String
    package let expected: String
    package let found: String
    package let hint: String?

    package init(
        _ severity: Severity, _ thing: String, expected: String, found: String,
        hint: String? = nil
    ) {
        self.severity = severity
        self.thing = thing
        self.expected = expected
        self.found = found
        self.hint = hint
    }
}

extension BundleProblem: CustomStringConvertible {
    /// `model.onnx: expected ..., got ...`, and a line with the hint where there is one.
    package var description: String {
        let line = "\(thing): expected \(expected), got \(found)"
        guard let hint else { return line }
        return "\(line)\nhint: \(hint)"
    }
}

/// Why no bundle was built: every problem that was found, errors and warnings, in the order found.
package struct BundleError: Error, Sendable, Hashable {
    package let problems: [BundleProblem]

    package init(problems: [BundleProblem]) {
        self.problems = problems
    }
}

extension BundleError: CustomStringConvertible {
    package var description: String {
        problems.map { "\($0.severity.rawValue): \($0)" }.joined(separator: "\n")
    }
}
