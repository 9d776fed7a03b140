/// What makes the device known to its registry, where it is not.
package protocol Enrolling: Sendable {
    /// Enrols the device, and remembers that durably.
    ///
    /// Returns at once where it was enrolled meanwhile, by a person or by another process, unless the registry has said
    /// since that it does not know the device.
    ///
    /// - Parameters:
    ///   - isForgotten: the registry knows the device no more: what is remembered counts only where nothing better can be had.
    ///   - stop: ends the exchange.
    /// - Throws: what stood in the way.
    func enrol(isForgotten: Bool, until stop: Interrupt) throws(EnrolmentFailure)
}

/// Why the device is not enrolled.
package enum EnrolmentFailure: Error, Sendable, Hashable {
    /// Nothing to enrol with: a person has to.
    case noToken
    /// The registry could not be asked; the same may succeed later.
    case unreachable(String, retryAfter: Int64?)
    /// The registry, the token, the key or the disk: a person has to look.
    case refused(String)
}

extension EnrolmentFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noToken: "this device is not enrolled: reports wait; run 'fieldfare-agent enrol'"
        case .unreachable(let text, _), .refused(let text): text
        }
    }
}
