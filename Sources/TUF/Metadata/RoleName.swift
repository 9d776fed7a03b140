package import Primitives

/// The name of a role: one of the four top-level ones, or any other text for a delegated one.
///
/// Any text of 1 byte or more is a legal name (TUF 1.0.34 section 4.5); we refuse only what could not
/// be a file name when percent-encoded (over 240 bytes).
package struct RoleName: Sendable, ExactText {
    package static let expected = "a role name: 1 byte or more, at most 240 when percent-encoded"
    package static let encodedLimit = 240

    package static let root = RoleName(unchecked: "root")
    package static let timestamp = RoleName(unchecked: "timestamp")
    package static let snapshot = RoleName(unchecked: "snapshot")
    package static let targets = RoleName(unchecked: "targets")
    package static let topLevel: [RoleName] = [.root, .timestamp, .snapshot, .targets]

    package let description: String

    package init?(_ text: String) {
        guard !text.isEmpty, PercentEncoding.encode(text).utf8.count <= Self.encodedLimit else {
            return nil
        }
        description = text
    }

    private init(unchecked text: String) { description = text }

    package var isTopLevel: Bool { Self.topLevel.contains(self) }
}

// MARK: The roles of a Fieldfare repository

extension RoleName {
    /// `model.<m>`: the release keys of a model sign its manifests and policies.
    package static func model(_ model: ModelName) -> RoleName {
        RoleName(unchecked: "model.\(model)")
    }

    /// `plans.<m>`: the registry signs where a model's rollouts stand.
    package static func plans(_ model: ModelName) -> RoleName {
        RoleName(unchecked: "plans.\(model)")
    }

    /// The model that this is the `model.` or `plans.` role of.
    package var modelName: ModelName? {
        for prefix in ["model.", "plans."] where description.hasPrefix(prefix) {
            return ModelName(String(description.dropFirst(prefix.count)))
        }
        return nil
    }

    /// Whether people sign this role with keys that are kept offline: `root`, `targets`, `model.<m>`.
    package var isSignedOffline: Bool {
        self == .root || self == .targets || description.utf8.starts(with: "model.".utf8)
    }
}
