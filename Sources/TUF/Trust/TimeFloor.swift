package import Primitives

/// A moment that has passed, because a timestamp says that it was signed then.
package struct TimeFloor: Sendable, Hashable {
    package let moment: UTCTime
    /// `Verifiers.fingerprint` of the timestamp role that said so.
    package let keys: SHA256Digest

    package init(moment: UTCTime, keys: SHA256Digest) {
        self.moment = moment
        self.keys = keys
    }
}
