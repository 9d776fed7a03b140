import Primitives
import TUF

/// Goes through the live metadata as a client does, down to one role, before the transaction that
/// changed it ends: the registry never publishes what a client would refuse.
struct SelfCheck {
    let records: any RegistryRecords
    let now: UTCTime

    /// - Throws: `.untrusted` with what a client would say.
    func verify(_ role: RoleName) throws(RegistryError) {
        let verifier = Verifier(start: now)
        let rootBytes = try bytes(.root)
        let root = try trusting { () throws(TUFError) in
            let root = try verifier.initialRoot(rootBytes)
            try verifier.checkExpiry(of: root)
            return root
        }
        guard try records.live(.targets) != nil else { return }
        let timestampBytes = try bytes(.timestamp)
        let snapshotBytes = try bytes(.snapshot)
        let snapshot = try trusting { () throws(TUFError) in
            let timestamp = try verifier.timestamp(timestampBytes, under: root, replacing: nil)
            return try verifier.snapshot(
                snapshotBytes, under: root, named: timestamp, replacing: nil)
        }
        guard role != .root else { return }
        let targetsBytes = try bytes(.targets)
        let targets = try trusting { () throws(TUFError) in
            try verifier.targets(targetsBytes, under: root, listedIn: snapshot)
        }
        guard role != .targets else { return }
        let roleBytes = try bytes(role)
        _ = try trusting { () throws(TUFError) in
            try verifier.delegated(roleBytes, of: role, under: targets, listedIn: snapshot)
        }
    }

    /// Whether a root may follow the live one (TUF 1.0.34 section 5.3.4 and 5.3.5).
    static func verify(root bytes: [UInt8], after live: [UInt8]?) throws(RegistryError) {
        let verifier = Verifier(start: .epoch)
        _ = try trusting { () throws(TUFError) in
            guard let live else { return try verifier.initialRoot(bytes) }
            return try verifier.root(bytes, after: try verifier.initialRoot(live))
        }
    }

    private func bytes(_ role: RoleName) throws(RegistryError) -> [UInt8] {
        guard let stored = try records.live(role) else {
            throw .storage("metadata of role '\(role)' is missing")
        }
        return stored.bytes
    }
}

/// Does something that TUF may refuse, and says so in the registry's words.
func trusting<Value>(
    _ body: () throws(TUFError) -> Value
) throws(RegistryError) -> Value {
    do { return try body() } catch { throw .untrusted(error) }
}
