import AgentCore
import ArgumentParser
import Console
import ModelBundle
import Primitives
import Rollouts

/// What a device is and has, as a person says it.
struct FactOptions: ParsableArguments {
    /// What no option says, and is taken as it would least stand in the way.
    static let assumed = ["memory", "free disk", "withdrawals that older plans made"]

    @Option(help: "Its region.")
    var region: String?

    @Option(help: "Its device class.")
    var deviceClass: String?

    @Option(help: "A label of it; may be repeated.")
    var label: [String] = []

    @Option(help: "Its locale.")
    var locale: String?

    @Option(help: "The version that runs; without it, a device without a model.")
    var current: String?

    @Option(help: "The version in its other slot.")
    var idle: String?

    @Option(help: "Another version that it has committed before; may be repeated.")
    var committed: [String] = []

    @Option(help: "A version that it has rejected; may be repeated.")
    var rejected: [String] = []

    @Flag(help: "Somebody at the device has ordered it to stay.")
    var held = false

    @Option(help: "Its architecture: x86_64 or aarch64.")
    var arch: String?

    @Option(help: "The version of its agent; without it, one that is new enough.")
    var agent: String?

    @Option(help: "When a plan moved it forward last, as 2026-11-21T05:06:07Z.")
    var lastSwap: String?

    @Option(help: "The moment to decide for, as 2026-11-21T05:06:07Z; without it, now.")
    var at: String?

    /// Whether nothing was said.
    var isEmpty: Bool {
        [region, deviceClass, locale, current, idle, arch, agent, lastSwap, at]
            .allSatisfy { $0 == nil } && label.isEmpty && committed.isEmpty && rejected.isEmpty
            && !held
    }

    /// - Throws: `Failure` `usage` naming the option that is missing or not what it must be.
    func parsed() throws(Failure) -> GivenFacts {
        guard let region, let deviceClass else {
            throw Failure(
                .usage, "device: expected --region and --device-class with --root, got none")
        }
        var labels: [AttributeName] = []
        for label in label { labels.append(try Word.attribute(label, "--label")) }
        return GivenFacts(
            attributes: DeviceAttributes(
                number: 1, region: try Word.attribute(region, "--region"),
                deviceClass: try Word.attribute(deviceClass, "--device-class"), labels: labels,
                locale: try Word.attribute(locale ?? "und", "--locale")),
            current: try Self.version("--current", current),
            idle: try Self.version("--idle", idle),
            committed: try Self.versions("--committed", committed),
            rejected: try Self.versions("--rejected", rejected), isHeld: held,
            architecture: try Self.parse("--arch", arch, Architecture.expected) {
                Architecture(rawValue: $0)
            }, agent: try Self.version("--agent", agent),
            lastSwap: try Self.moment("--last-swap", lastSwap), at: try Self.moment("--at", at))
    }

    private static func versions(
        _ option: String, _ texts: [String]
    ) throws(Failure) -> [SemanticVersion] {
        var versions: [SemanticVersion] = []
        for text in texts {
            if let version = try version(option, text) { versions.append(version) }
        }
        return versions
    }

    private static func version(
        _ option: String, _ text: String?
    ) throws(Failure) -> SemanticVersion? {
        try parse(option, text, SemanticVersion.expected, SemanticVersion.init)
    }

    private static func moment(_ option: String, _ text: String?) throws(Failure) -> UTCTime? {
        try parse(option, text, "2026-11-21T05:06:07Z", UTCTime.init(iso8601:))
    }

    private static func parse<Value>(
        _ option: String, _ text: String?, _ expected: String, _ read: (String) -> Value?
    ) throws(Failure) -> Value? {
        guard let text else { return nil }
        return try Word.read(text, option, expected, read)
    }
}

/// The same, read.
struct GivenFacts {
    let attributes: DeviceAttributes
    let current: SemanticVersion?
    let idle: SemanticVersion?
    let committed: [SemanticVersion]
    let rejected: [SemanticVersion]
    let isHeld: Bool
    let architecture: Architecture?
    let agent: SemanticVersion?
    let lastSwap: UTCTime?
    let at: UTCTime?

    private static var firstAgent: SemanticVersion {
        guard let version = SemanticVersion("0.1.0") else { preconditionFailure("a version") }
        return version
    }

    /// All versions that are named.
    var versions: Set<SemanticVersion> {
        Set([current, idle].compactMap(\.self) + committed + rejected)
    }

    /// The facts for `decide`; `bundles` has each of `versions`.
    func device(
        _ id: DeviceID, _ model: ModelName, _ channel: ChannelName, _ material: PollMaterial,
        _ bundles: [SemanticVersion: BundleReference]
    ) -> DeviceFacts {
        let running = current.flatMap { bundles[$0] }
        let asked = (material.readablePlan?.candidate.sha256).flatMap {
            material.listing.requirements[$0]
        }
        return DeviceFacts(
            id: id, model: model, channel: channel, attributes: attributes, current: running,
            idle: idle.flatMap { bundles[$0] },
            committed: Set((committed.compactMap { bundles[$0] }) + [running].compactMap(\.self)),
            rejected: rejected.compactMap { bundles[$0] }.map {
                DeviceFacts.Rejection(
                    version: $0.version, sha256: $0.sha256, at: material.timestampSigned)
            }, withdrawn: material.readablePlan?.withdrawn ?? [],
            rollbackFloor: (running?.sha256).flatMap {
                material.manifests[$0]?.manifest.rollbackFloor
            }, lastForwardSwap: lastSwap, isHeld: isHeld,
            agent: agent ?? material.listing.requirements.values.map(\.minimumAgent).max()
                ?? Self.firstAgent,
            hardware: DeviceFacts.Hardware(
                architecture: architecture
                    ?? asked?.architectures.min { $0.rawValue < $1.rawValue } ?? .x86,
                memory: .max, freeDisk: .max),
            freshness: DeviceFacts.Freshness(
                timestampSigned: material.timestampSigned,
                timestampExpires: material.timestampExpires,
                expiredOfflineRoles: material.expiredOfflineRoles))
    }
}
