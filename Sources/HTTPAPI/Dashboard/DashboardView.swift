import Primitives
import RegistryCore

/// What the dashboard shows, from the use cases that answer the API: the part of the page that is renewed.
struct DashboardView: Sendable {
    let rollouts: [RolloutStatus]
    let models: [Models.Model]
    let devices: [Devices.Detail]
    let now: UTCTime

    /// Reads everything; may wait for the database.
    ///
    /// - Throws: `RegistryError.forbidden` unless the reader may read all models.
    init(
        _ services: Services, devicesAfter last: DeviceID?, by reader: Principal, at now: UTCTime
    ) throws(RegistryError) {
        rollouts = try services.rollouts.list(by: reader, at: now)
        models = try services.models.list(by: reader)
        devices = try services.devices.list(
            after: last, limit: DevicesSection.pageLimit, by: reader)
        self.now = now
    }

    var html: HTML {
        """
        <p class="when">As of \(Figures.moment(now)).</p>
        <section id="rollouts"><h2>Rollouts</h2>
        \(rollouts.isEmpty ? "<p class=\"empty\">There is no rollout yet.</p>" : "")\
        \(rollouts.map { RolloutSection($0).html })</section>
        \(DevicesSection(devices: devices, now: now).html)\
        \(ModelsSection(models: models).html)
        """
    }
}
