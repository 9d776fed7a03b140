import Console
import PosixFiles
import Primitives
import TUF

/// The folder of a ceremony: root.json and targets.json on their way to being signed, and beside them the
/// versions that they follow, as `<version>.root.json` and `<version>.targets.json`.
struct CeremonyFolder {
    static let limit = 4 << 20

    let path: String

    /// How far a role is.
    struct Standing {
        let version: MetadataVersion
        let expires: UTCTime
        /// By each delegator that must be content, as `signers(of:)` names them; never empty.
        let all: [(root: MetadataVersion, progress: SigningProgress)]
        /// By the delegator's keys of which the most are missing.
        let signedBy: Int
        let missing: Int
        let threshold: Int
    }

    /// Who must sign a role, and by which root.
    struct Signers {
        let root: MetadataVersion
        let verifiers: Verifiers
    }

    func standing(of role: RoleName) throws(Failure) -> Standing {
        let bytes = try FileBytes.read("\(path)/\(MetadataFileName(role))", limit: Self.limit)
        let staged = try StagedRole(bytes, as: role)
        let all = try signers(of: role).map { signers in
            (root: signers.root, progress: staged.progress(towards: signers.verifiers))
        }
        guard let (_, least) = all.max(by: { $0.progress.missing < $1.progress.missing }) else {
            preconditionFailure("somebody signs every role")
        }
        return Standing(
            version: staged.version, expires: staged.expires, all: all,
            signedBy: least.signedBy.count, missing: least.missing,
            threshold: least.threshold.count)
    }

    /// For a root the root before it, where there is one, and itself (TUF 1.0.34 section 5.3.4); for targets the
    /// newest root.
    func signers(of role: RoleName) throws(Failure) -> [Signers] {
        let newest = try root(FileBytes.read("\(path)/root.json", limit: Self.limit))
        var roots = [newest]
        if role == .root, let before = try version(newest.version.number - 1, of: .root) {
            roots.insert(try root(before), at: 0)
        }
        return roots.map { Signers(root: $0.version, verifiers: $0.verifiers(of: role)) }
    }

    /// The newest version of a role; nil where there is none.
    func newest(_ role: RoleName) throws(Failure) -> [UInt8]? {
        try read("\(path)/\(MetadataFileName(role))")
    }

    /// An older version of a role, or the newest; nil where there is none.
    func version(_ number: Int64, of role: RoleName) throws(Failure) -> [UInt8]? {
        guard let version = MetadataVersion(number) else { return nil }
        if let bytes = try read("\(path)/\(MetadataFileName(role, version: version))") {
            return bytes
        }
        guard let bytes = try newest(role), try StagedRole(bytes, as: role).version == version
        else { return nil }
        return bytes
    }

    /// Every version of a role that is here and leads to the newest without a gap, oldest first.
    func chain(of role: RoleName) throws(Failure) -> [(version: MetadataVersion, bytes: [UInt8])] {
        guard let bytes = try newest(role) else { return [] }
        var chain = [(version: try StagedRole(bytes, as: role).version, bytes: bytes)]
        while let before = MetadataVersion(chain[0].version.number - 1),
            let bytes = try version(before.number, of: role)
        {
            chain.insert((version: before, bytes: bytes), at: 0)
        }
        return chain
    }

    /// Does something while nobody else does: two people may sign in one folder at the same time.
    ///
    /// - Throws: what `work` throws, and `busy` where somebody holds the folder for seconds.
    func locked<Value>(_ work: () throws(Failure) -> Value) throws(Failure) -> Value {
        guard let name = TargetPath(".lock") else { preconditionFailure("a file's name") }
        for _ in 0..<50 {
            let lock = try Failure.catching("folder '\(path)'") {
                try Directory(opening: path).tryLock(name, .exclusive)
            }
            if lock != nil { return try work() }
            SystemClock.pause(nanoseconds: 100_000_000)
        }
        throw Failure(.busy, "folder '\(path)': expected nobody else to sign in it, got somebody")
    }

    func write(_ bytes: [UInt8], _ name: MetadataFileName) throws(Failure) {
        try FileBytes.write(bytes, to: "\(path)/\(name)")
    }

    private func read(_ file: String) throws(Failure) -> [UInt8]? {
        try FileBytes.exists(file) ? try FileBytes.read(file, limit: Self.limit) : nil
    }

    private func root(_ bytes: [UInt8]) throws(Failure) -> Root {
        guard case .root(let root) = try StagedRole(bytes, as: .root) else {
            preconditionFailure("a root is read as a root")
        }
        return root.content
    }
}
