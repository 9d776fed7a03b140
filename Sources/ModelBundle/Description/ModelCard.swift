package import Primitives

/// A word error rate that was measured, and on what.
package struct MeasuredWER: Sendable, Hashable {
    package let locale: AttributeName
    /// The utterances that it was measured on, in words.
    package let set: String
    package let thousandths: Int

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        locale = try fields.parse("locale", AttributeName.expected) { AttributeName($0) }
        set = try fields.parse("set", "what it was measured on") { $0.isEmpty ? nil : $0 }
        thousandths = Int(try fields.integer("wer_thousandths", in: 0...10_000))
    }
}

/// What people must know about a model before they use it; it travels in the bundle as JSON.
///
/// Example: `{"intended_use":"...","languages":["en-GB"],"licence":"Apache-2.0","training_data":"...",
/// "measured_wer":[{"locale":"en-GB","set":"kitchen, 200 sentences","wer_thousandths":26}],"limits":"..."}`.
package struct ModelCard: Sendable, Hashable {
    package static let byteLimit = 256 << 10
    package static let textLimit = 16_384

    package let intendedUse: String
    package let languages: [String]
    /// An SPDX licence expression.
    package let licence: String
    /// Where the training data came from, and under which terms.
    package let trainingData: String
    /// What was measured, in the card's order; at least one.
    package let measuredWER: [MeasuredWER]
    /// What the model is not fit for.
    package let limits: String

    /// Reads a card; further fields are its author's own.
    ///
    /// - Throws: `ManifestError`.
    package init(parsing bytes: [UInt8]) throws(ManifestError) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: Self.byteLimit) } catch { throw .json(error) }
        do { try self.init(json) } catch { throw .field(error) }
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        intendedUse = try Self.text(&fields, "intended_use")
        licence = try Self.text(&fields, "licence")
        trainingData = try Self.text(&fields, "training_data")
        limits = try Self.text(&fields, "limits")
        var languages: [String] = []
        for element in try fields.array("languages", limit: 64) {
            guard let language = element.json.string, !language.isEmpty else {
                throw FieldError(
                    path: element.path, expected: "the name of a language", found: element.json.kind
                )
            }
            languages.append(language)
        }
        guard !languages.isEmpty else {
            throw FieldError(path: "languages", expected: "at least one", found: "none")
        }
        self.languages = languages
        var rates: [MeasuredWER] = []
        for element in try fields.array("measured_wer", limit: 256) {
            rates.append(try MeasuredWER(element.json, at: element.path))
        }
        measuredWER = rates
    }

    private static func text(_ fields: inout Fields, _ key: String) throws(FieldError) -> String {
        let text = try fields.string(key, limit: textLimit)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw FieldError(path: key, expected: "some words", found: "none")
        }
        return text
    }
}
