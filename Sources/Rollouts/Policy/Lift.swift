package import Primitives

/// The release owners' word that a version may be taken again, signed with the release keys.
///
/// It undoes withdrawals and the device's own rejections up to a moment; what is withdrawn or rejected
/// after it counts again, so that the brake keeps working. A target of `model.<m>` at
/// `policies/<m>/<version>.lift.json`.
package struct Lift: Sendable, Hashable {
    package static let schema = "fieldfare.lift/1"
    package static let longest = 4_096

    package let model: ModelName
    package let version: SemanticVersion
    package let sha256: SHA256Digest
    package let until: UTCTime

    package init(
        model: ModelName, version: SemanticVersion, sha256: SHA256Digest, until: UTCTime
    ) {
        self.model = model
        self.version = version
        self.sha256 = sha256
        self.until = until
    }

    /// Whether a withdrawal or rejection of a bundle of `model`, made at `moment`, counts no more.
    package func undoes(
        _ version: SemanticVersion, _ sha256: SHA256Digest, of model: ModelName, at moment: UTCTime
    ) -> Bool {
        self.model == model && self.version == version && self.sha256 == sha256 && moment <= until
    }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        self = try DocumentError.reading(bytes, limit: Self.longest) {
            (json) throws(FieldError) in
            var fields = try Fields(json)
            try fields.expectSchema(Self.schema)
            let lift = Lift(
                model: try fields.model(), version: try fields.version("version"),
                sha256: try fields.digest("sha256"), until: try fields.moment("until"))
            try fields.refuseUnknown()
            return lift
        }
    }

    package var json: JSON {
        [
            "schema": .string(Self.schema), "model": .string(model.description),
            "version": .string(version.description), "sha256": .string(sha256.hex),
            "until": .integer(until.seconds),
        ]
    }
}
