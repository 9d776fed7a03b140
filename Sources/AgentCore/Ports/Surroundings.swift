package import Rollouts

/// What the device is made of, read anew for each judgement.
package protocol Surroundings: Sendable {
    /// Architecture and memory, and the bytes free on the slots' file system.
    func hardware() -> DeviceFacts.Hardware
}
