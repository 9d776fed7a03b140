import ModelBundle
import Primitives

extension Judge {
    /// What holds for any version, also for one to go back to.
    mutating func judgeVersion(_ offer: Offer) {
        let bundle = offer.bundle
        let withdrawal = withdrawal(of: bundle)
        look(
            .withdrawn, withdrawal == nil,
            ["withdrawn": withdrawal.map { "\($0.version) at \($0.at)" } ?? "no"])
        let rejection = rejection(of: bundle)
        look(
            .rejectedHere, rejection == nil,
            ["rejected": rejection.map { "\($0.version) at \($0.at)" } ?? "no"])
        if let floor = device.rollbackFloor {
            look(.belowRollbackFloor, bundle.version >= floor, ["floor": "\(floor)"])
        }
    }

    /// A baseline or pin that this device has never committed: its own policy must allow it by now.
    mutating func judgeNewVersion(_ offer: Offer) {
        let listed = listing.policies(of: offer.bundle, model: device.model)
        let inside = listed.first { $0.contains(device.attributes) }
        look(.policyNotListed, !listed.isEmpty, ["policies": "\(listed.count)"])
        judgeManifest(offer.bundle)
        judgeRequirements(offer.bundle)
        guard let own = inside ?? listed.first else { return }
        look(.outsideWhere, inside != nil, place)
        judgeNotBefore(own)
        if offer.role == .pin {
            let count = plan.pins.filter { $0.bundle == offer.bundle && now < $0.expires }
                .reduce(0) { $0 + $1.devices.count }
            look(
                .pinNotYetAllowed, now >= own.matures || count <= own.maxPins, until: own.matures,
                ["matures": "\(own.matures)", "pins": "\(count)", "most": "\(own.maxPins)"])
        } else {
            look(
                .baselineNotYetAllowed, now >= own.matures, until: own.matures,
                ["matures": "\(own.matures)"])
        }
    }

    mutating func judgeNotBefore(_ policy: Policy) {
        look(
            .beforeNotBefore, now >= policy.notBefore, until: policy.notBefore,
            ["not before": "\(policy.notBefore)"])
    }

    mutating func judgeManifest(_ bundle: BundleReference) {
        let listed = listing.manifests[bundle.version]
        look(
            .manifestNotListed, listed == bundle.sha256,
            ["listed": listed?.hex ?? "none", "named": bundle.sha256.hex])
    }

    mutating func judgeRequirements(_ bundle: BundleReference) {
        let needs = listing.requirements[bundle.sha256]
        look(
            .requirementsUnknown, needs != nil,
            ["requirements": needs == nil ? "none" : "listed", "sha256": bundle.sha256.hex])
        guard let needs else { return }
        let hardware = device.hardware
        look(
            .architectureNotSupported, needs.architectures.contains(hardware.architecture),
            ["architecture": hardware.architecture.rawValue])
        look(
            .memoryTooSmall, hardware.memory >= needs.minimumMemory,
            ["memory": "\(hardware.memory)", "needed": "\(needs.minimumMemory)"])
        look(
            .diskTooSmall, hardware.freeDisk >= needs.minimumDisk,
            ["free": "\(hardware.freeDisk)", "needed": "\(needs.minimumDisk)"])
        look(
            .agentTooOld, device.agent >= needs.minimumAgent,
            ["agent": "\(device.agent)", "needed": "\(needs.minimumAgent)"])
    }

    /// The facts that a `where` looks at.
    var place: KeyValuePairs<String, String> {
        let attributes = device.attributes
        return [
            "region": "\(attributes.region)", "device class": "\(attributes.deviceClass)",
            "labels": attributes.labels.map(\.description).joined(separator: " "),
            "locale": "\(attributes.locale)",
        ]
    }
}
