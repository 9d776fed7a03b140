import Primitives
import Synchronization
import TUF

/// What the last poll brought, so that the next one costs one request where the repository has not changed.
///
/// The registry signs a new timestamp for every change, a new root among them (docs/protocol.md): with the same timestamp, byte
/// for byte, the same is trusted as before, until the first of it expires. Whoever holds the timestamp back could hold
/// back all the rest as well. For several threads.
package final class PollMemory: Sendable {
    private struct Last {
        let question: PollQuestion
        let timestamp: [UInt8]
        let material: PollMaterial
        let until: UTCTime
    }

    private let last = Mutex<Last?>(nil)

    package init() {}

    /// What the last poll brought, and the timestamp that named it; nil where another question is asked or some of it has expired.
    func answer(to question: PollQuestion) -> (timestamp: [UInt8], material: PollMaterial)? {
        last.withLock { last in
            guard let last, last.question.asksTheSame(as: question),
                max(question.start, question.floor?.moment ?? .epoch) < last.until
            else { return nil }
            return (last.timestamp, last.material)
        }
    }

    /// Before anything newer is trusted: a poll that ends halfway leaves nothing to go back to.
    func forget() { last.withLock { $0 = nil } }

    func remember(
        _ material: PollMaterial, of repository: TrustedRepository, as question: PollQuestion
    ) {
        guard let until = repository.nextExpiry else { return }
        last.withLock {
            $0 = Last(
                question: question, timestamp: repository.timestamp.bytes, material: material,
                until: until)
        }
    }
}

extension PollQuestion {
    fileprivate func asksTheSame(as other: PollQuestion) -> Bool {
        model == other.model && channel == other.channel && device == other.device
            && concerned == other.concerned
    }
}
