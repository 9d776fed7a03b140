import Console
import Cryptography
import CurlTransport
import Primitives
import TUF

/// Adds targets to a model's role: from what is live, or from an open proposal that a key of the role has signed.
struct RoleProposal {
    /// How often another publisher may be faster before we give up.
    static let tries = 8

    let api: RegistryAPI
    let role: RoleName
    let key: Signer
    /// When the new version expires.
    let expires: UTCTime

    /// Adds the targets, signs, posts; on a conflict it starts again from what has become live.
    ///
    /// - Returns: ROLE of the protocol, with its `state`.
    func add(_ additions: [TargetPath: TargetDescription]) throws(Failure) -> JSON {
        var last: Failure?
        for _ in 0..<Self.tries {
            do throws(Failure) {
                return try propose(additions)
            } catch {
                guard error.kind == .busy else { throw error }
                last = error
            }
        }
        throw last ?? Failure(.busy, "role '\(role)': expected to be the fastest once, got none")
    }

    /// A target that is live or in the open proposal; nil where there is none.
    func existing(_ path: TargetPath) throws(Failure) -> TargetDescription? {
        let standing = try api.get("/v1/roles/\(role)")
        let open = try proposal(standing)
        if let target = open?.targets[path] { return target }
        return try live(standing)?.content.targets[path]
    }

    private func propose(_ additions: [TargetPath: TargetDescription]) throws(Failure) -> JSON {
        guard try verifiers().publicKeys.contains(.ed25519(key.publicKey)) else {
            throw Failure(
                .refused, "key \(key.publicKey.keyID): expected one of role '\(role)', got another")
        }
        let standing = try api.get("/v1/roles/\(role)")
        let published = try self.live(standing)
        let live = published?.content
        let open = try proposal(standing)
        let base = open ?? live
        // After a change of keys the live file may lack signatures: then the same content is signed anew.
        if let published, try published.progress(towards: verifiers()).isComplete,
            additions.allSatisfy({ published.content.targets[$0.key] == $0.value })
        {
            return Self.with(standing, state: "live")
        }
        var next = live.map { $0.next(expires: expires) } ?? Targets(expires: expires)
        next.targets = base?.targets ?? [:]
        for (path, target) in additions.sorted(by: { $0.key < $1.key }) {
            if let there = next.targets[path], there != target {
                throw Failure(
                    .refused, "target '\(path)': expected the bytes that are published, got others",
                    hint: "a published version never changes: give this one a new version")
            }
            next.targets[path] = target
        }
        var draft = Draft(next, of: role)
        if let open, open.targets == next.targets, let bytes = try openBytes(standing) {
            draft = try Self.draft(bytes, role)
        }
        var staged = StagedRole.targets(draft)
        try staged.sign(with: key)
        return try api.send(.post, "/v1/roles/\(role)", staged.bytes).json()
    }

    private func live(_ standing: JSON) throws(Failure) -> Draft<Targets>? {
        guard let version = standing["live"]?["version"]?.integer else { return nil }
        return try Self.draft(published("\(version).\(role).json"), role)
    }

    private func openBytes(_ standing: JSON) throws(Failure) -> [UInt8]? {
        guard standing["proposal"]?["version"] != nil else { return nil }
        return try api.send(.get, "/v1/roles/\(role)/proposal").body
    }

    /// The open proposal's content, once a key of the role has been seen to sign it.
    private func proposal(_ standing: JSON) throws(Failure) -> Targets? {
        guard let bytes = try openBytes(standing) else { return nil }
        let draft = try Self.draft(bytes, role)
        let verifiers = try self.verifiers()
        guard !draft.progress(towards: verifiers).signedBy.isEmpty else {
            throw Failure(
                .refused,
                "open proposal of '\(role)': expected a valid signature of the role, got none")
        }
        return draft.content
    }

    /// The role's keys, from the live targets metadata, which everybody may read.
    private func verifiers() throws(Failure) -> Verifiers {
        let snapshot = try version(of: "snapshot", in: "timestamp.json")
        let targets = try version(of: "targets", in: "\(snapshot).snapshot.json")
        guard
            let verifiers = try Self.draft(published("\(targets).targets.json"), .targets)
                .content.delegations?.verifiers(of: role)
        else {
            throw Failure(.failed, "role '\(role)': expected targets to delegate to it, got none")
        }
        return verifiers
    }

    private func version(of role: String, in file: String) throws(Failure) -> Int64 {
        let bytes = try published(file)
        let json = try Failure.catching("metadata '\(file)'") {
            try JSON(parsing: bytes, limit: bytes.count)
        }
        guard let version = json["signed"]?["meta"]?["\(role).json"]?["version"]?.integer else {
            throw Failure(
                .failed, "metadata '\(file)': expected a version of '\(role)', got none")
        }
        return version
    }

    private func published(_ file: String) throws(Failure) -> [UInt8] {
        guard let bytes = try api.file("/tuf/\(file)") else {
            throw Failure(.failed, "metadata '\(file)': expected it, got none")
        }
        return bytes
    }

    private static func draft(
        _ bytes: [UInt8], _ role: RoleName
    ) throws(Failure) -> Draft<Targets> {
        do {
            return try Draft<Targets>(parsing: bytes, as: role)
        } catch {
            throw Failure(.refused, "metadata of '\(role)': \(error)")
        }
    }

    private static func with(_ standing: JSON, state: String) -> JSON {
        var fields = standing.object ?? [:]
        fields["state"] = .string(state)
        return .object(fields)
    }
}
