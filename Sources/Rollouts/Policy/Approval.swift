package import Primitives

/// The release owners' word that a stage with `promote: signed` may begin.
///
/// A target of `model.<m>` at `policies/<m>/<version>.<name>.<stage>.approval.json`.
package struct Approval: Sendable, Hashable {
    package static let schema = "fieldfare.approval/1"
    package static let longest = 4_096

    package let model: ModelName
    /// The digest of the policy whose stage is approved.
    package let policy: SHA256Digest
    package let stage: AttributeName

    package init(model: ModelName, policy: SHA256Digest, stage: AttributeName) {
        self.model = model
        self.policy = policy
        self.stage = stage
    }

    package init(parsing bytes: [UInt8]) throws(DocumentError) {
        self = try DocumentError.reading(bytes, limit: Self.longest) {
            (json) throws(FieldError) in
            var fields = try Fields(json)
            try fields.expectSchema(Self.schema)
            let approval = Approval(
                model: try fields.model(), policy: try fields.digest("policy"),
                stage: try fields.parse("stage", AttributeName.expected) { AttributeName($0) })
            try fields.refuseUnknown()
            return approval
        }
    }

    package var json: JSON {
        [
            "schema": .string(Self.schema), "model": .string(model.description),
            "policy": .string(policy.hex), "stage": .string(stage.description),
        ]
    }
}
