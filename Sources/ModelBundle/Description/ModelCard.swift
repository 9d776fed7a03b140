package import Primitives

/// What people must know about a model before they use it; it travels in the bundle as JSON.
///
/// Example: `{"schema":"fieldfare.model-card/1","intended_use":"...","languages":["en"],
/// "licence":"Apache-2.0","training_data":"...","measured_wer":{"en-GB":26},"limits":"..."}`.
package struct ModelCard: Sendable, Hashable {
    package static let schema = "fieldfare.model-card/1"
    package static let byteLimit = 256 << 10
    package static let textLimit = 16_384

    package let intendedUse: String
    package let languages: [String]
    /// An SPDX licence expression.
    package let licence: String
    /// Where the training data came from, and under which terms.
    package let trainingData: String
    /// The word error rate that was measured for each locale, in thousandths: the worst of several sets.
    package let measuredWER: [AttributeName: Int]
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
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
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
        var rates: [AttributeName: Int] = [:]
        for entry in try fields.map("measured_wer", limit: 64) {
            guard let locale = AttributeName(entry.name), let rate = entry.json.integer,
                (0...10_000).contains(rate)
            else {
                throw FieldError(
                    path: entry.path, expected: "thousandths, by locale", found: entry.json.kind)
            }
            rates[locale] = Int(rate)
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
