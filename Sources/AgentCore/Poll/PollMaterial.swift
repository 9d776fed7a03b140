package import Primitives
package import Rollouts
package import TUF

/// What one poll brought: verified documents and how fresh they are; nothing about this device.
///
/// A pure value, so that the same material can be judged again at another moment, with no network.
package struct PollMaterial: Sendable {
    package var plan: HeldPlan
    /// TUF version of `plans.<m>`, and the fingerprint of its keys; nil where the repository has no such role.
    package var planVersion: Int64?
    package var planKeys: SHA256Digest?
    package var listing: Listing
    /// Why there can be no plan yet; nil where the repository has the role that signs it.
    package var missing: MissingPlans?
    /// The manifests of the versions that concern the device, by digest.
    package var manifests: [SHA256Digest: ManifestTarget]
    /// When the newest timestamp was signed and when it ends, and the fingerprint of its keys.
    package var timestampSigned: UTCTime
    package var timestampExpires: UTCTime
    package var timestampKeys: SHA256Digest
    package var expiredOfflineRoles: [String]
    /// Documents that were listed and could not be read as what their path says.
    package var problems: [String]
    /// The versions of the metadata, by role, for people.
    package var versions: [String: Int64]

    package init(
        plan: HeldPlan, planVersion: Int64?, planKeys: SHA256Digest?, listing: Listing,
        manifests: [SHA256Digest: ManifestTarget] = [:], timestampSigned: UTCTime,
        timestampExpires: UTCTime, timestampKeys: SHA256Digest,
        expiredOfflineRoles: [String] = [], problems: [String] = [],
        versions: [String: Int64] = [:]
    ) {
        self.plan = plan
        self.planVersion = planVersion
        self.planKeys = planKeys
        self.listing = listing
        self.manifests = manifests
        self.timestampSigned = timestampSigned
        self.timestampExpires = timestampExpires
        self.timestampKeys = timestampKeys
        self.expiredOfflineRoles = expiredOfflineRoles
        self.problems = problems
        self.versions = versions
    }

    /// The plan, where there is one that can be read.
    package var readablePlan: Plan? {
        guard case .plan(let plan) = plan else { return nil }
        return plan
    }
}

/// What a repository lacks before it can have a plan for a model: no fault of its own, but often a wrong name here.
package enum MissingPlans: Sendable, Hashable, CustomStringConvertible {
    /// Nobody may sign plans of the model.
    case notDelegated(RoleName)
    /// Somebody may, and has signed none.
    case notPublished(RoleName)

    init?(_ role: RoleName, in repository: TrustedRepository) {
        guard repository[role] == nil else { return nil }
        let isDelegated = repository.targets.content.delegations?[role] != nil
        self = isDelegated ? .notPublished(role) : .notDelegated(role)
    }

    package var description: String {
        switch self {
        case .notDelegated(let role):
            "role \(role): expected the repository to delegate it, got none of that name yet; "
                + "hint: see whether 'model' is right"
        case .notPublished(let role):
            "role \(role): expected the repository to have its metadata, got none yet"
        }
    }
}
