package import Primitives

/// A file below `policies/<m>/`, which is what its name says.
package enum ReleaseDocument: Sendable, Hashable {
    case policy(Policy)
    case approval(Approval)
    case lift(Lift)

    package enum Kind: Sendable, Hashable {
        case policy, approval, lift

        /// Nil for a path outside of `policies/`.
        package init?(_ path: TargetPath) {
            guard path.parts.first == "policies" else { return nil }
            let words = path.description.split(separator: ".")
            self =
                switch words.dropLast().last {
                case "approval": .approval
                case "lift": .lift
                default: .policy
                }
        }
    }

    /// Reads a document that a role lists at a path below `policies/`.
    ///
    /// - Throws: `DocumentError` for anything but a document of the kind that the path says.
    package init(parsing bytes: [UInt8], at path: TargetPath) throws(DocumentError) {
        switch Kind(path) {
        case .approval: self = .approval(try Approval(parsing: bytes))
        case .lift: self = .lift(try Lift(parsing: bytes))
        default: self = .policy(try Policy(parsing: bytes))
        }
    }
}
