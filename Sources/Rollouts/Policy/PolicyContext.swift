package import Primitives

/// What is known around a policy when it is checked; what is nil is not checked.
package struct PolicyContext: Sendable, Hashable {
    /// The regions, device classes, labels and locales that devices of the fleet have.
    package var regions: Set<AttributeName>?
    package var deviceClasses: Set<AttributeName>?
    package var labels: Set<AttributeName>?
    package var locales: Set<AttributeName>?
    /// What devices of the fleet say of themselves, each combination once.
    package var fleet: [DeviceAttributes]?
    /// The manifests that `model.<m>` lists, signed.
    package var manifests: [SemanticVersion: SHA256Digest]?
    package var withdrawn: [Withdrawal]
    /// The oldest version that devices on the baseline may go to.
    package var rollbackFloor: SemanticVersion?
    package var now: UTCTime?

    package init(
        regions: Set<AttributeName>? = nil, deviceClasses: Set<AttributeName>? = nil,
        labels: Set<AttributeName>? = nil, locales: Set<AttributeName>? = nil,
        manifests: [SemanticVersion: SHA256Digest]? = nil,
        withdrawn: [Withdrawal] = [], rollbackFloor: SemanticVersion? = nil, now: UTCTime? = nil
    ) {
        self.regions = regions
        self.deviceClasses = deviceClasses
        self.labels = labels
        self.locales = locales
        self.manifests = manifests
        self.withdrawn = withdrawn
        self.rollbackFloor = rollbackFloor
        self.now = now
    }
}
