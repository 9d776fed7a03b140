package import Primitives
import Synchronization

/// One thing that somebody outside of the device saw: no kill and no power cut takes it back.
package enum Sight: Hashable, Sendable {
    /// A part of the story begins, by its number.
    case chapter(Int)
    /// The story's time, in seconds since 1970.
    case time(Int64)
    /// The device's key, by its digest.
    case key(SHA256Digest)
    case enrolled
    /// Another version is active, or none.
    case active(String?)
    /// The machine has journaled that it will not take this version again.
    case rejected(String)
    /// A smoke test of this version begins.
    case probed(String)
    /// The registry has taken a report: its sequence, the digest of its body, its kind and candidate.
    case reported(Int64, SHA256Digest, String)
    /// The process is about to be killed after this call: its name, and the bytes it was to move.
    case point(String, Int64)
    /// The agent could not start.
    case refused(String)
    /// Every chapter has come to its end; what lasts may end too.
    case told
    /// What was not as it had to be.
    case failure(String)
}

extension Sight {
    /// One line, with no newline.
    var line: String {
        switch self {
        case .chapter(let number): "chapter \(number)"
        case .time(let seconds): "time \(seconds)"
        case .key(let digest): "key \(digest.hex)"
        case .enrolled: "enrolled"
        case .told: "told"
        case .active(let version): "active \(version ?? "-")"
        case .rejected(let version): "rejected \(version)"
        case .probed(let version): "probed \(version)"
        case .reported(let sequence, let digest, let what):
            "reported \(sequence) \(digest.hex) \(what)"
        case .point(let name, let bytes): "point \(bytes) \(name)"
        case .refused(let text): "refused \(text)"
        case .failure(let text): "failure \(text)"
        }
    }

    init?(line: Substring) {
        let words = line.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? String(words[1]) : ""
        let parts = rest.split(separator: " ", maxSplits: 2).map(String.init)
        switch words.first {
        case "chapter": self = .chapter(Int(rest) ?? 0)
        case "time": self = .time(Int64(rest) ?? 0)
        case "key":
            guard let digest = SHA256Digest(hex: rest) else { return nil }
            self = .key(digest)
        case "enrolled": self = .enrolled
        case "told": self = .told
        case "active": self = .active(rest == "-" ? nil : rest)
        case "rejected": self = .rejected(rest)
        case "probed": self = .probed(rest)
        case "reported":
            guard parts.count == 3, let sequence = Int64(parts[0]),
                let digest = SHA256Digest(hex: parts[1])
            else { return nil }
            self = .reported(sequence, digest, parts[2])
        case "point":
            let bytes = rest.split(separator: " ", maxSplits: 1).map(String.init)
            guard bytes.count == 2 else { return nil }
            self = .point(bytes[1], Int64(bytes[0]) ?? 0)
        case "refused": self = .refused(rest)
        case "failure": self = .failure(rest)
        default: return nil
        }
    }
}

/// Keeps what was seen where the device's death does not reach.
package protocol Witnessing: Sendable {
    func see(_ sight: Sight)
}

/// A witness in this process.
package final class ListWitness: Witnessing {
    private let list = Mutex<[Sight]>([])

    package init() {}

    package var sights: [Sight] { list.withLock { $0 } }

    package func see(_ sight: Sight) { list.withLock { $0.append(sight) } }
}
