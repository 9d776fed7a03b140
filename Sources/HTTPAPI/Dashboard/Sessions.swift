import Cryptography
import Primitives
import RegistryCore
import Synchronization

/// Who has signed in to the dashboard: in memory, for some hours.
///
/// A session is no token: it shows the dashboard and opens no other route, and ends with the token that it
/// was begun with. Neither its text nor the token's is kept, only their digests.
package final class Sessions: Sendable {
    /// Seconds that a session lasts.
    static let life: Int64 = 8 * 3_600
    /// The most sessions at once; the oldest makes room.
    static let limit = 1_000

    private struct Session {
        let token: SHA256Digest
        let expires: UTCTime
    }

    private let held = Mutex<[SHA256Digest: Session]>([:])

    package init() {}

    /// Begins a session for the bearer of a token that has been checked.
    ///
    /// - Returns: what the cookie holds.
    func begin(
        with token: SHA256Digest, at now: UTCTime, using random: inout some RandomNumberGenerator
    ) -> BearerText {
        let text = BearerText(.session, using: &random)
        let session = Session(token: token, expires: now + Self.life)
        held.withLock { held in
            held = held.filter { now < $0.value.expires }
            if held.count >= Self.limit,
                let oldest = held.min(by: { $0.value.expires < $1.value.expires })
            {
                held[oldest.key] = nil
            }
            held[text.digest] = session
        }
        return text
    }

    /// The digest of the token that a session was begun with; nil for none, or one that is over.
    ///
    /// Found by the digest of 256 random bits, whose comparison tells a guesser nothing.
    func token(of text: BearerText, at now: UTCTime) -> SHA256Digest? {
        held.withLock { held in
            held[text.digest].flatMap { now < $0.expires ? $0.token : nil }
        }
    }

    func end(_ text: BearerText) {
        held.withLock { $0[text.digest] = nil }
    }
}
