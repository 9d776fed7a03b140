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

    /// Whether the path is that of a lift, which may be signed again with a later moment.
    static func isLift(_ path: TargetPath) -> Bool {
        path.parts.first == "policies" && path.description.hasSuffix(".lift.json")
    }
}

/// A file below `policies/`, told apart by its schema.
enum PolicyFile: Sendable, Hashable {
    case policy(Policy)
    case approval(Approval)
    case lift(Lift)

    /// - Throws: `DocumentError`; a file of another schema is read as a policy, and refused as one.
    init(parsing bytes: [UInt8]) throws(DocumentError) {
        let schema = (try? JSON(parsing: bytes, limit: Policy.longest))?["schema"]?.string
        switch schema {
        case Approval.schema: self = .approval(try Approval(parsing: bytes))
        case Lift.schema: self = .lift(try Lift(parsing: bytes))
        default: self = .policy(try Policy(parsing: bytes))
        }
    }
}
