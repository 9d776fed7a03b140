import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct TargetCheckTests {
    static let path = "bundles/commands-en/1.0.0 a.json"
    static let content = Array("content".utf8)

    /// A repository that lists the target, and what it says of it.
    static func target(
        consistent: Bool = true, sha512: [UInt8]? = nil, besideSHA256: Bool = true
    ) throws -> (repository: TrustedRepository, file: TargetFile) {
        let path = try #require(TargetPath(path))
        let device = try Device()
        device.simulator.edit { repository in
            repository.root.consistentSnapshot = consistent
            repository.updateRoot()
            repository.add(content, at: path, to: .releases)
        }
        if let sha512 {
            let held = try #require(device.simulator.repository.roles[.releases])
            let signed = try edited(held.signed.bytes) { fields in
                var hashes: JSONObject = ["sha512": .string(Hex.encode(sha512))]
                if besideSHA256 {
                    hashes["sha256"] = .string(SHA256.digest(of: content).hex)
                }
                fields["targets"] = [
                    path.description: ["length": 7, "hashes": .object(hashes)]
                ]
            }
            let draft = try Draft<Targets>(
                parsing: JSON.object([
                    "signatures": [], "signed": try JSON(parsing: signed, limit: 1_000_000),
                ]).bytes, as: .releases)
            device.simulator.edit { $0.roles[.releases] = draft.content }
        }
        device.simulator.edit { repository in
            for role in [RoleName.targets, .releases, .plans] { repository.publish(role) }
            repository.update(.releases)
        }
        let repository = try device.run(following: [path.description])
        return (repository, try #require(try repository.target(at: path)))
    }

    static func check(_ file: TargetFile, _ pieces: [[UInt8]]) throws(TUFError) {
        var check = TargetCheck(file)
        for piece in pieces { try check.take(unsafe piece.span.bytes) }
        try check.finish()
    }

    @Test func `takes the bytes that the role lists, however they are cut`() throws {
        let (_, file) = try Self.target(sha512: SHA512.digest(of: Self.content))
        #expect(file.hashes.sha512 == SHA512.digest(of: Self.content))
        try Self.check(file, [Self.content])
        try Self.check(file, Self.content.map { [$0] } + [[]])
    }

    @Test func `refuses fewer bytes, and the first one too many`() throws {
        let (_, file) = try Self.target()
        func error(_ found: Int64) -> TUFError {
            .wrongTargetLength(.releases, file.path, expected: 7, found: found)
        }
        #expect(throws: error(6)) { try Self.check(file, [Self.content.dropLast()]) }
        #expect(throws: error(0)) { try Self.check(file, []) }
        var check = TargetCheck(file)
        try check.take(unsafe Self.content.span.bytes)
        var refusal: TUFError?
        do { try check.take(unsafe [UInt8(0)].span.bytes) } catch { refusal = error }
        #expect(refusal == error(8))
    }

    @Test func `refuses other bytes of the same length`() throws {
        let (_, file) = try Self.target()
        let other = Array("Content".utf8)
        let error = TUFError.wrongTargetDigest(
            .releases, file.path, expected: FileHashes(of: Self.content),
            found: SHA256.digest(of: other))
        #expect(throws: error) { try Self.check(file, [other]) }
    }

    @Test func `refuses bytes of another SHA-512, where that is listed`() throws {
        let (_, file) = try Self.target(sha512: [UInt8](repeating: 7, count: 64))
        let error = #expect(throws: TUFError.self) { try Self.check(file, [Self.content]) }
        #expect(
            error?.description
                == "cannot accept target '\(Self.path)' of model.commands-en: expected SHA-512 "
                + String(repeating: "07", count: 64) + ", got another")
    }

    @Test func `takes a target by its SHA-512 alone, where nothing else is listed`() throws {
        let sha512 = SHA512.digest(of: Self.content)
        let (repository, file) = try Self.target(sha512: sha512, besideSHA256: false)
        #expect(file.hashes.sha256 == nil)
        try Self.check(file, [Self.content])
        #expect(throws: TUFError.self) { try Self.check(file, [Array("Content".utf8)]) }
        #expect(
            repository.urlPath(of: file)
                == "bundles/commands-en/\(Hex.encode(sha512)).1.0.0%20a.json")
    }

    @Test func `finds a target by its digest with consistent snapshots, and by its path without`()
        throws
    {
        let (consistent, file) = try Self.target()
        let digest = SHA256.digest(of: Self.content)
        #expect(
            consistent.urlPath(of: file) == "bundles/commands-en/\(digest).1.0.0%20a.json")
        let (plain, same) = try Self.target(consistent: false)
        #expect(plain.urlPath(of: same) == "bundles/commands-en/1.0.0%20a.json")
    }
}
