package import Rollouts

/// What the device is made of, read anew for each judgement.
package protocol Surroundings: Sendable {
    /// Architecture and memory, and the disk that a new bundle could have: what is free, and what the slot
    /// that is not active would give back.
    func hardware() -> DeviceFacts.Hardware
}
