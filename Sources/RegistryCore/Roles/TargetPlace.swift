import ModelBundle
import Primitives
import Rollouts

/// What a target of `model.<m>` is, by its path.
enum TargetPlace: Sendable, Hashable {
    static let expected =
        "bundles/<model>/<version>.json or policies/<model>/<version>.<name>.json"

    case manifest(SemanticVersion)
    /// A policy, an approval or a lift; its name without `.json`, which begins with its version and a dot.
    case policyFile(stem: String)

    init?(_ path: TargetPath, model: ModelName) {
        let parts = path.parts
        guard parts.count == 3, parts[1] == model.description, parts[2].hasSuffix(".json")
        else { return nil }
        let stem = String(parts[2].dropLast(5))
        switch parts[0] {
        case "bundles":
            guard let version = SemanticVersion(stem) else { return nil }
            self = .manifest(version)
        case "policies":
            self = .policyFile(stem: stem)
        default: return nil
        }
    }

    /// The most bytes of such a file.
    var byteLimit: Int {
        switch self {
        case .manifest: Manifest.byteLimit
        case .policyFile: Policy.longest
        }
    }
}
