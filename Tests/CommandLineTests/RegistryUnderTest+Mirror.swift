import Foundation
import ProgramTestSupport
import Testing

extension RegistryUnderTest {
    /// Copies into the folder `mirror` what a mirror of the repository has: the newest metadata, all targets, and the
    /// files that manifests name.
    func writeMirror() throws {
        let timestamp = try copy("tuf/timestamp.json")
        let snapshot = try copy("tuf/\(try version("snapshot.json", in: timestamp)).snapshot.json")
        for role in ["targets", "model.commands-en", "plans.commands-en"] {
            let name = "\(try version("\(role).json", in: snapshot)).\(role).json"
            let file = try copy("tuf/\(name)")
            let targets = (file["signed"] as? [String: Any])?["targets"] as? [String: Any] ?? [:]
            for (path, target) in targets {
                let hashes = (target as? [String: Any])?["hashes"] as? [String: String]
                let digest = try #require(hashes?["sha256"])
                var parts = path.split(separator: "/").map(String.init)
                parts.append("\(digest).\(parts.removeLast())")
                let document = try copy("targets/" + parts.joined(separator: "/"))
                for file in document["files"] as? [[String: Any]] ?? [] {
                    try copy("blobs/sha256/\(try #require(file["sha256"] as? String))")
                }
            }
        }
    }

    private func version(_ name: String, in file: [String: Any]) throws -> Int {
        let meta = (file["signed"] as? [String: Any])?["meta"] as? [String: [String: Any]]
        return try #require(meta?[name]?["version"] as? Int, "\(name)")
    }

    @discardableResult
    private func copy(_ path: String) throws -> [String: Any] {
        let answer = try request("/" + path)
        try #require(answer.status == 200, "\(path)")
        let file = folder.appendingPathComponent("mirror/" + path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try answer.body.write(to: file)
        return path.hasPrefix("blobs/") ? [:] : answer.json
    }
}
