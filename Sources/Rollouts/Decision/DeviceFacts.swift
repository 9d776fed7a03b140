package import ModelBundle
package import Primitives

/// What `decide` knows of one device: the agent fills it from its journal, the registry from reports.
package struct DeviceFacts: Sendable, Hashable {
    /// A version that this device has refused to run on, with its own reasons.
    package struct Rejection: Sendable, Hashable {
        package let version: SemanticVersion
        package let sha256: SHA256Digest
        package let at: UTCTime

        package init(version: SemanticVersion, sha256: SHA256Digest, at: UTCTime) {
            self.version = version
            self.sha256 = sha256
            self.at = at
        }
    }

    /// What the device is made of; memory and free disk in bytes.
    package struct Hardware: Sendable, Hashable {
        package let architecture: Architecture
        package let memory: Int64
        package let freeDisk: Int64

        package init(architecture: Architecture, memory: Int64, freeDisk: Int64) {
            self.architecture = architecture
            self.memory = memory
            self.freeDisk = freeDisk
        }
    }

    /// How fresh the metadata is that the plan was read with.
    package struct Freshness: Sendable, Hashable {
        package let timestampSigned: UTCTime
        package let timestampExpires: UTCTime
        /// Of `targets` and `model.<m>`, those that have expired; in order.
        package let expiredOfflineRoles: [String]

        package init(
            timestampSigned: UTCTime, timestampExpires: UTCTime, expiredOfflineRoles: [String] = []
        ) {
            self.timestampSigned = timestampSigned
            self.timestampExpires = timestampExpires
            self.expiredOfflineRoles = expiredOfflineRoles
        }
    }

    package var id: DeviceID
    package var model: ModelName
    package var channel: ChannelName
    package var attributes: DeviceAttributes
    /// What runs; nil before the first install.
    package var current: BundleReference?
    /// What the idle slot holds, whole and verified.
    package var idle: BundleReference?
    /// All bundles that this device has ever committed.
    package var committed: Set<BundleReference>
    package var rejected: [Rejection]
    /// Withdrawals seen in any plan so far.
    package var withdrawn: [Withdrawal]
    package var rollbackFloor: SemanticVersion?
    /// When a plan last moved this device forward.
    package var lastForwardSwap: UTCTime?
    /// Whether somebody at the device has ordered it to stay.
    package var isHeld: Bool
    package var agent: SemanticVersion
    package var hardware: Hardware
    package var freshness: Freshness

    package init(
        id: DeviceID, model: ModelName, channel: ChannelName = .main, attributes: DeviceAttributes,
        current: BundleReference?, idle: BundleReference? = nil,
        committed: Set<BundleReference> = [], rejected: [Rejection] = [],
        withdrawn: [Withdrawal] = [], rollbackFloor: SemanticVersion? = nil,
        lastForwardSwap: UTCTime? = nil, isHeld: Bool = false, agent: SemanticVersion,
        hardware: Hardware, freshness: Freshness
    ) {
        self.id = id
        self.model = model
        self.channel = channel
        self.attributes = attributes
        self.current = current
        self.idle = idle
        self.committed = committed
        self.rejected = rejected
        self.withdrawn = withdrawn
        self.rollbackFloor = rollbackFloor
        self.lastForwardSwap = lastForwardSwap
        self.isHeld = isHeld
        self.agent = agent
        self.hardware = hardware
        self.freshness = freshness
    }
}
