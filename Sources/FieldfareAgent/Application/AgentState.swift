import Primitives

/// What a running agent says of itself, in short; `fieldfare-agent status --json` has all of it.
public struct AgentState: Sendable, Hashable {
    /// What it is at: `idle`, `downloading`, `probation` and so on (docs/agent.md).
    public let name: String
    /// The device's id: 32 hexadecimal digits.
    public let device: String
    /// The model that the device keeps current.
    public let model: String
    /// The channel that it follows.
    public let channel: String
    /// The version that a lease gives; nil where there is no usable model.
    public let activeVersion: String?
    /// The version that an application acknowledged last; nil before.
    public let servingVersion: String?
    /// The version that is on its way; nil where none is.
    public let attemptedVersion: String?
    /// Whether the device has no usable model: the application is on its own, or uses the cloud.
    public let isCloudOnly: Bool
    /// Whether somebody ordered on the device that no new version be taken.
    public let isHeld: Bool
    /// Whether the device's registry knows it; before, reports wait.
    public let isEnrolled: Bool

    init(_ answer: JSON) throws(AgentError) {
        do {
            // A later agent says more of itself.
            var reading = try Fields(answer)
            name = try reading.string("state", limit: 32)
            device = try reading.string("device", limit: 64)
            model = try reading.string("model", limit: 256)
            channel = try reading.string("channel", limit: 256)
            isCloudOnly = try reading.bool("cloud_only")
            isHeld = try reading.bool("held")
            isEnrolled = try reading.bool("enrolled")
        } catch {
            throw AgentError(.malformedAnswer, "cannot understand the agent: status: \(error)")
        }
        activeVersion = answer["active"]?["version"]?.string
        servingVersion = answer["serving"]?.string
        attemptedVersion = answer["attempt"]?["version"]?.string
    }
}
