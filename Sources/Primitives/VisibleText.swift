extension String {
    /// As a terminal may show it: control characters, and those that are invisible or turn the order of others, as
    /// `\u{1b}`.
    ///
    /// What strangers have written must not move the cursor over what somebody is asked to sign.
    package var visible: String { Self.visible(self, keeping: []) }

    /// As `visible`, on lines of its own.
    package var visibleLines: String { Self.visible(self, keeping: ["\n"]) }

    private static func visible(_ text: String, keeping kept: Set<Unicode.Scalar>) -> String {
        guard text.unicodeScalars.contains(where: { isHidden($0) && !kept.contains($0) }) else {
            return text
        }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isHidden(scalar), !kept.contains(scalar) {
                let hex = String(scalar.value, radix: 16)
                shown.append(contentsOf: "\\u{\(hex)}".unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            true
        default: false
        }
    }
}
