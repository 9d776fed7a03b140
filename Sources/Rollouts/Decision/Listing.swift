package import ModelBundle
package import Primitives

/// What today's `model.<m>` metadata lists, as far as a decision needs it.
///
/// The caller has verified every byte of it by TUF; nothing here is checked again.
package struct Listing: Sendable, Hashable {
    /// A policy with the path and digest under which `model.<m>` lists it.
    package struct ListedPolicy: Sendable, Hashable {
        package let path: TargetPath
        package let sha256: SHA256Digest
        package let policy: Policy

        package init(path: TargetPath, sha256: SHA256Digest, policy: Policy) {
            self.path = path
            self.sha256 = sha256
            self.policy = policy
        }
    }

    package var policies: [ListedPolicy]
    /// The digests of the manifests listed, by version.
    package var manifests: [SemanticVersion: SHA256Digest]
    /// What the manifests ask of a device, by their digests, as far as they were read.
    package var requirements: [SHA256Digest: Requirements]
    package var approvals: [Approval]
    package var lifts: [Lift]

    package init(
        policies: [ListedPolicy] = [], manifests: [SemanticVersion: SHA256Digest] = [:],
        requirements: [SHA256Digest: Requirements] = [:], approvals: [Approval] = [],
        lifts: [Lift] = []
    ) {
        self.policies = policies
        self.manifests = manifests
        self.requirements = requirements
        self.approvals = approvals
        self.lifts = lifts
    }

    /// The policy that a plan names, where it is listed at that very path with that very digest.
    func policy(_ reference: Plan.PolicyReference) -> Policy? {
        policies.first { $0.path == reference.path && $0.sha256 == reference.sha256 }?.policy
    }

    /// The policies of one bundle, the one that matures first before the others.
    func policies(of bundle: BundleReference, model: ModelName) -> [Policy] {
        policies.map(\.policy)
            .filter { $0.candidate == bundle && $0.model == model }
            .sorted { $0.matures < $1.matures }
    }
}

/// The plan that a device has in hand.
package enum HeldPlan: Sendable, Hashable {
    case none
    /// Its bytes are not a plan that this program reads; with the reason.
    case unreadable(String)
    case plan(Plan)

    /// What the bytes of a verified plan hold.
    package init(parsing bytes: [UInt8]) {
        do { self = .plan(try Plan(parsing: bytes)) } catch {
            self = .unreadable(error.description)
        }
    }
}
