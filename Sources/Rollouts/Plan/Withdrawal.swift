package import Primitives

/// A version that nobody is to run any more; every device remembers it, and only a `Lift` undoes it.
package struct Withdrawal: Sendable, Hashable {
    package let version: SemanticVersion
    /// The digest of its manifest: a version is withdrawn by either.
    package let sha256: SHA256Digest
    /// When it was withdrawn: a lift undoes only what came before it.
    package let at: UTCTime

    package init(version: SemanticVersion, sha256: SHA256Digest, at: UTCTime) {
        self.version = version
        self.sha256 = sha256
        self.at = at
    }

    /// Whether the release keys have undone it.
    package func isLifted(by lifts: [Lift], of model: ModelName) -> Bool {
        lifts.contains { $0.undoes(version, sha256, of: model, at: at) }
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        version = try fields.version("version")
        sha256 = try fields.digest("sha256")
        at = try fields.moment("at")
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "version": .string(version.description), "sha256": .string(sha256.hex),
            "at": .integer(at.seconds),
        ]
    }
}
