package import Primitives
import RegistryCore
import Synchronization
import TUF
import Telemetry

/// What the registry knows of its metadata, rollouts and fleet, as gauges.
///
/// No label names a device.
package struct FleetMetrics: Sendable {
    /// A device that was not heard for this many seconds counts as silent: the default check-in deadline.
    static let silence: Int64 = 12 * 3_600

    private let services: Services
    private let freeBytes: @Sendable () -> Int64?

    /// `freeBytes` tells what is left on the disk under the registry's data; nil where that is unknown.
    package init(
        services: Services, freeBytes: @escaping @Sendable () -> Int64?
    ) {
        self.services = services
        self.freeBytes = freeBytes
    }

    /// May wait for the database.
    func families(at now: UTCTime) throws(RegistryError) -> [MetricFamily] {
        let reader = Principal.registry
        var families = try metadata(reader)
        families += try rollouts(reader, at: now)
        families += try devices(reader, at: now)
        families.append(contentsOf: process)
        return families
    }

    private func metadata(_ reader: Principal) throws(RegistryError) -> [MetricFamily] {
        var expiry = MetricFamily(
            "fieldfare_metadata_expiry_timestamp_seconds", .gauge,
            "When the live metadata of a role expires.")
        var held = MetricFamily(
            "fieldfare_proposals_held", .gauge, "Proposals that wait for signatures.")
        for role in try services.roles.list(by: reader) {
            let label = [(name: "role", value: role.role.description)]
            if let live = role.live { expiry.add(Double(live.expires.seconds), label) }
            if role.role.isSignedOffline { held.add(role.proposal == nil ? 0 : 1, label) }
        }
        return [expiry, held]
    }

    private func rollouts(
        _ reader: Principal, at now: UTCTime
    ) throws(RegistryError) -> [MetricFamily] {
        var states = MetricFamily("fieldfare_rollouts", .gauge, "Rollouts by state.")
        var estimates = MetricFamily(
            "fieldfare_gate_estimate_ratio", .gauge,
            "What the gate estimated last: treated devices against control.")
        var limits = MetricFamily(
            "fieldfare_gate_limit_ratio", .gauge, "What the policy allows for the same metric.")
        var counts: [String: Int] = [
            "created": 0, "running": 0, "paused": 0, "completed": 0, "rolled_back": 0,
            "frozen": 0,
        ]
        for status in try services.rollouts.list(by: reader, at: now) {
            counts[status.rollout.stateWord, default: 0] += 1
            for test in status.rollout.look?["tests"]?.array ?? [] {
                guard let metric = test["metric"]?.string, let ratio = test["ratio"]?.integer,
                    let limit = test["limit"]?.integer
                else { continue }
                let labels = [
                    (name: "model", value: status.rollout.model.description),
                    (name: "channel", value: status.rollout.channel.description),
                    (name: "metric", value: metric),
                ]
                estimates.add(Double(ratio) / 1_000, labels)
                limits.add(Double(limit) / 1_000, labels)
            }
        }
        for (state, count) in counts.sorted(by: { $0.key < $1.key }) {
            states.add(Double(count), [("state", state)])
        }
        return [states, estimates, limits]
    }

    private func devices(
        _ reader: Principal, at now: UTCTime
    ) throws(RegistryError) -> [MetricFamily] {
        var counts: [String: Int] = ["enrolled": 0]
        var silent = 0
        var last: DeviceID?
        while true {
            let page = try services.devices.list(
                after: last, limit: Devices.pageLimit, by: reader)
            for device in page {
                let state = device.newest.first?.report.state.rawValue ?? "enrolled"
                counts[state, default: 0] += 1
                let heard = device.heard ?? device.record.enrolled
                if now - heard > Self.silence { silent += 1 }
            }
            guard page.count == Devices.pageLimit else { break }
            last = page.last?.record.id
        }
        var states = MetricFamily(
            "fieldfare_devices", .gauge, "Devices by the state that they reported last.")
        for (state, count) in counts.sorted(by: { $0.key < $1.key }) {
            states.add(Double(count), [("state", state)])
        }
        var silence = MetricFamily(
            "fieldfare_devices_silent", .gauge, "Devices not heard for 12 hours.")
        silence.add(Double(silent))
        return [states, silence]
    }

    private var process: [MetricFamily] {
        var tick = MetricFamily(
            "fieldfare_controller_last_tick_timestamp_seconds", .gauge,
            "When the controller last went through all rollouts.")
        tick.add(Double(services.pulse.last?.seconds ?? 0))
        var build = MetricFamily(
            "fieldfare_build_info", .gauge, "1, labelled with the registry's version.")
        build.add(1, [("version", RegistryVersion.text)])
        var families = [tick, build]
        if let free = freeBytes() {
            var disk = MetricFamily(
                "fieldfare_storage_free_bytes", .gauge, "Bytes left under the registry's data.")
            disk.add(Double(free))
            families.append(disk)
        }
        return families
    }
}

/// When the controller last ticked, told by the loop that calls it.
package final class ControllerPulse: Sendable {
    private let moment = Mutex<UTCTime?>(nil)
    private let interval: Int64

    /// `interval` is the seconds from one tick to the next.
    package init(interval: Int64 = 30) { self.interval = interval }

    package var last: UTCTime? { moment.withLock { $0 } }

    package func beat(at now: UTCTime) { moment.withLock { $0 = now } }

    /// The moment until which the next tick is waited for, patiently: two more intervals, and a minute for a long one.
    var patience: Int64 { 3 * interval + 60 }
}

extension Principal {
    /// The registry itself, where it reads for its own pages and metrics.
    static let registry = Principal(id: .registry, name: "registry", scopes: [Scope(.read)])
}
