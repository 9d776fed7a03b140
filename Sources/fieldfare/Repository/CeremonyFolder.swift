import Console
import Primitives
import TUF

/// The folder of a ceremony: root.json and targets.json on their way to being signed.
struct CeremonyFolder {
    let path: String

    struct Standing {
        let bytes: [UInt8]
        let signedBy: Int
        let missing: Int
        let threshold: Int
        let version: MetadataVersion
        let expires: UTCTime
    }

    func standing(of role: RoleName) throws(Failure) -> Standing {
        let bytes = try FileBytes.read("\(path)/\(MetadataFileName(role))", limit: 4 << 20)
        let staged = try StagedRole(bytes, as: role)
        let rootBytes = try FileBytes.read("\(path)/root.json", limit: 4 << 20)
        guard case .root(let root) = try StagedRole(rootBytes, as: .root) else {
            preconditionFailure("a root is read as a root")
        }
        let verifiers = root.content.verifiers(of: role)
        let progress = staged.progress(towards: verifiers)
        return Standing(
            bytes: bytes, signedBy: progress.signedBy.count, missing: progress.missing,
            threshold: progress.threshold.count, version: staged.version,
            expires: staged.expires)
    }
}
