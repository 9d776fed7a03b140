package import Rollouts
package import Telemetry

/// What the device is made of and where it stands, read anew for each judgement and each report.
package protocol Surroundings: Sendable {
    /// Architecture and memory, and the bytes free on the slots' file system.
    func hardware() -> DeviceFacts.Hardware

    /// Temperature, charge and kind of microphone, each where the device has or knows it.
    func environment() -> DeviceEnvironment

    /// Link and battery, each where somebody can tell; within a fraction of a second.
    func conditions() -> Conditions
}
