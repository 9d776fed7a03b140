package import Primitives

/// The version of this agent, which a bundle's `min_agent` is compared with.
package enum AgentVersion {
    package static let current: SemanticVersion = {
        guard let version = SemanticVersion("0.1.0") else { preconditionFailure("a version") }
        return version
    }()
}
