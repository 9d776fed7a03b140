package import Primitives
package import TUF

/// Why a poll has found nothing out; what was trusted before still is.
package enum PollError: Error, Sendable, Hashable {
    /// Bytes could not be had: of a target, where one was asked for by then.
    case fetch(FetchError, of: TargetPath? = nil)
    /// The metadata was refused: signatures, versions, expiry.
    case refused(TUFError)
    /// The trusted metadata could not be read or written on this device.
    case storage
    /// A target's bytes are not those that were signed.
    case wrongTarget(TargetPath, expected: SHA256Digest, found: SHA256Digest)
    /// The plan is older than one that this device has obeyed, signed by the same keys.
    case oldPlan(held: Int64, offered: Int64)
    case interrupted

    /// Whether the same poll may do better later, without anybody acting.
    package var isRetryable: Bool {
        switch self {
        case .fetch(let error, of: _): error.isRetryable
        case .interrupted: true
        case .refused, .storage, .wrongTarget, .oldPlan: false
        }
    }

    /// How long the registry asks to wait, in seconds.
    package var retryAfter: Int64? {
        guard case .fetch(let error, of: _) = self else { return nil }
        return error.retryAfter
    }
}

extension PollError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .fetch(let error, of: nil): "cannot poll: \(error)"
        case .fetch(let error, of: let path?):
            "cannot take target '\(path)': expected the signed file, got \(error.found)"
        case .refused(let error): "cannot trust the registry's metadata: \(error)"
        case .storage: "cannot keep trusted metadata: the state directory failed"
        case .wrongTarget(let path, let expected, let found):
            "cannot take target '\(path)': expected sha256 \(expected), got \(found)"
        case .oldPlan(let held, let offered):
            "cannot obey plan: version \(offered) is older than version \(held), already held"
        case .interrupted: "poll was interrupted"
        }
    }
}
