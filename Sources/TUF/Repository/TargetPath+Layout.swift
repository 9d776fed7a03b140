package import Primitives

extension TargetPath {
    /// `bundles/<m>/<version>.json`, a manifest.
    package static func manifest(of model: ModelName, _ version: SemanticVersion) -> TargetPath {
        make("bundles/\(model)/\(version).json")
    }

    /// `policies/<m>/<version>.<name>.json`, a policy.
    package static func policy(
        of model: ModelName, _ version: SemanticVersion, name: AttributeName
    ) -> TargetPath {
        make("policies/\(model)/\(version).\(name).json")
    }

    /// `policies/<m>/<version>.<name>.<stage>.approval.json`: a stage of a policy may begin.
    package static func approval(
        of model: ModelName, _ version: SemanticVersion, name: AttributeName, stage: AttributeName
    ) -> TargetPath {
        make("policies/\(model)/\(version).\(name).\(stage).approval.json")
    }

    /// `policies/<m>/<version>.lift.json`: a version may be taken again.
    package static func lift(of model: ModelName, _ version: SemanticVersion) -> TargetPath {
        make("policies/\(model)/\(version).lift.json")
    }

    /// `rollouts/<m>/<channel>.json`, a plan.
    package static func plan(of model: ModelName, _ channel: ChannelName) -> TargetPath {
        make("rollouts/\(model)/\(channel).json")
    }

    /// `packs/<m>/<version>.json`, a list of packs.
    package static func packs(of model: ModelName, _ version: SemanticVersion) -> TargetPath {
        make("packs/\(model)/\(version).json")
    }

    private static func make(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else {
            preconditionFailure("names of at most 64 bytes make a path: \(text)")
        }
        return path
    }
}
