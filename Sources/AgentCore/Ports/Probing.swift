package import Primitives
package import Speech

/// Why there was no smoke test at all; a test that ran and failed is a `SmokeVerdict`.
package enum ProbeError: Error, Sendable, Hashable {
    case interrupted
    /// The program is missing or cannot be started: operation and errno.
    case cannotStart(operation: String, errno: Int32)
    /// The slot holds no bundle that could be tested.
    case noBundle(Slot)
}

extension ProbeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .interrupted: "interrupted"
        case .cannotStart(let operation, let errno):
            "smoke program: expected one that starts, got \(ErrorNumber(errno)) (\(operation))"
        case .noBundle(let slot): "slot \(slot): expected a bundle to test, got none"
        }
    }
}

/// Runs the smoke test of a slot's bundle in a child process: port of the agent, implemented by `SlotHost`.
package protocol Probing: Sendable {
    /// Starts the child with its limits, waits for it, and judges what it left.
    ///
    /// Blocks until the child has ended or was killed: no longer than the suite's time limit, and at most a
    /// second after `stop` was set. A crash, hang, `exit` or garbage output is a failed verdict, not an error.
    func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict
}
