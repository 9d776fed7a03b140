/// What happens when metadata that people sign offline has expired.
package enum ExpiryPolicy: Sendable, Hashable {
    /// Expired metadata is refused, as TUF 1.0.34 section 5 says.
    case strict

    /// Expired `targets` and `model.<m>` are used, and named in `TrustedRepository.expired`.
    ///
    /// Off-spec: a device whose offline metadata has expired must still obey a newer, valid plan to go
    /// back, pause or stay, so that the brake always works; it takes nothing new (ADR 0001). Root and
    /// all that is signed online is as strict as ever.
    case reportOffline

    /// An expired root is used too: for people who are about to sign what comes after it.
    case forSigners

    func tolerates(_ role: RoleName) -> Bool {
        switch self {
        case .strict: false
        case .reportOffline: role.isSignedOffline && role != .root
        case .forSigners: role.isSignedOffline
        }
    }
}
