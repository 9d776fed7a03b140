package import Primitives
package import RegistryCore

/// The registry's use cases, as the routes call them.
package struct Services: Sendable {
    package let published: PublishedFiles
    package let uploads: Uploads
    package let roles: Roles
    package let tokens: Tokens
    package let enrolments: Enrolments
    package let devices: Devices
    package let reports: Reports
    package let models: Models
    package let rollouts: RolloutDesk
    package let pins: Pins
    package let assignments: Assignments
    package let rehearsals: Rehearsals
    package let audit: AuditLog
    package let readiness: Readiness
    /// The heart of the controller that this process runs.
    package let pulse: ControllerPulse
    /// The time of day; each request reads it once.
    package let now: @Sendable () -> UTCTime

    /// `store` is the process's one way to the database.
    package init(
        store: LiveTimestamp, blobs: any BlobStoring, keys: OnlineKeys,
        pulse: ControllerPulse = ControllerPulse(), now: @escaping @Sendable () -> UTCTime
    ) {
        self.now = now
        self.pulse = pulse
        published = PublishedFiles(store: store, blobs: blobs)
        uploads = Uploads(blobs: blobs)
        roles = Roles(store: store, blobs: blobs, keys: keys)
        tokens = Tokens(store: store)
        enrolments = Enrolments(store: store)
        devices = Devices(store: store)
        reports = Reports(store: store)
        models = Models(store: store, blobs: blobs)
        rollouts = RolloutDesk(store: store, blobs: blobs, keys: keys)
        pins = Pins(store: store, blobs: blobs, keys: keys)
        assignments = Assignments(store: store, blobs: blobs)
        rehearsals = Rehearsals(store: store) {
            try await blocking {
                try InProcessRegistry(
                    store: store.copy(), blobs: OverlayBlobs(over: blobs), keys: keys)
            }
        }
        audit = AuditLog(store: store)
        readiness = Readiness(store: store, blobs: blobs, keys: keys)
    }
}
