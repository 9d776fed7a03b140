package import Foundation

/// The project's own files, as they are committed.
package enum Project {
    /// The folder with `Package.swift`.
    package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    package static func file(_ path: String) -> URL { folder.appendingPathComponent(path) }

    package static func text(_ path: String) throws -> String {
        try String(contentsOf: file(path), encoding: .utf8)
    }

    /// The names of what a folder holds, in order.
    package static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(path).path).sorted()
    }
}
