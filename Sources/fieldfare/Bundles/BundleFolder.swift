import Console
import ModelBundle
import PosixFiles
import Primitives

/// The folder of a bundle: `bundle.yaml` and the files that it names.
final class BundleFolder: BundleFiles {
    static let descriptionName = "bundle.yaml"

    let path: String
    private let folder: Directory
    private var open: (path: TargetPath, file: OpenFile)?

    init(_ path: String) throws(Failure) {
        self.path = path
        folder = try Failure.catching("bundle folder '\(path)'") { try Directory(opening: path) }
    }

    func description() throws(Failure) -> BundleDescription {
        let json = try YAMLFile.read("\(path)/\(Self.descriptionName)")
        do {
            return try BundleDescription(json)
        } catch {
            throw Failure(.failed, "\(Self.descriptionName): \(error)")
        }
    }

    /// When bundle.yaml or one of these files was last changed, whichever is newest; those that are not there do not count.
    func lastChange(of paths: some Sequence<TargetPath>) throws(Failure) -> UTCTime {
        try Failure.catching("bundle folder '\(path)'") {
            let all = [TargetPath(Self.descriptionName)].compactMap(\.self) + paths
            let newest = try all.compactMap { path in
                do throws(FileError) {
                    return try folder.status(path)?.modifiedNanoseconds
                } catch {
                    guard error.isNotFound else { throw error }
                    return nil
                }
            }.max()
            return UTCTime(clamping: (newest ?? 0) / 1_000_000_000)
        }
    }

    func length(of path: TargetPath) throws(BundleFileError) -> Int64? {
        do {
            guard let status = try folder.status(path), status.kind == .file else { return nil }
            return status.size
        } catch {
            guard error.isNotFound else {
                throw BundleFileError(path: path, reason: "\(error)")
            }
            return nil
        }
    }

    func read(
        _ path: TargetPath, at offset: Int64, count: Int
    ) throws(BundleFileError) -> [UInt8] {
        do {
            if open?.path != path { open = (path, try folder.open(path, .reading)) }
            guard let file = open?.file else { return [] }
            let bytes = try file.read(offset..<offset + Int64(count))
            guard bytes.count == count else {
                throw BundleFileError(
                    path: path, reason: "expected \(count) bytes at \(offset), got \(bytes.count)")
            }
            return bytes
        } catch let error as BundleFileError {
            throw error
        } catch {
            throw BundleFileError(path: path, reason: "\(error)")
        }
    }
}

/// What `bundle build` makes: `manifest.json`, and `blobs/<sha256>` with the files.
struct BuiltFolder {
    static let manifestName = "manifest.json"

    let path: String

    func manifest() throws(Failure) -> (manifest: Manifest, bytes: [UInt8]) {
        let name = "\(path)/\(Self.manifestName)"
        let bytes = try FileBytes.read(name, limit: Manifest.byteLimit)
        do {
            return (try Manifest(parsing: bytes), bytes)
        } catch {
            throw Failure(.failed, "'\(name)': \(error)")
        }
    }

    func blob(_ digest: SHA256Digest) throws(Failure) -> OpenFile {
        try Failure.catching("blob '\(path)/blobs/\(digest)'") {
            try Directory(opening: path + "/blobs").open(Self.name(digest), .reading)
        }
    }

    /// Every file of the manifest that is missing, or has another length or digest.
    func problems(of manifest: Manifest) -> [BundleProblem] {
        BundleVerifier.problems(of: manifest, in: BlobFiles(built: self, manifest: manifest))
    }

    /// Puts the files of a bundle under their digests, then writes the manifest.
    ///
    /// Where that fails, a folder that it made is gone again; one that was there has its old manifest.
    func write(
        _ manifest: [UInt8], _ files: [ManifestFile], from folder: String, show: (Int64) -> Void
    ) throws(Failure) {
        let isNew = try !FileBytes.exists(path)
        do throws(Failure) {
            try take(files, from: folder, show: show)
            try FileBytes.write(manifest, to: "\(path)/\(Self.manifestName)")
        } catch {
            if isNew { try? FileBytes.removeTree(path) }
            throw error
        }
    }

    private func take(
        _ files: [ManifestFile], from folder: String, show: (Int64) -> Void
    ) throws(Failure) {
        try Failure.catching("folder '\(path)'") {
            let source = try Directory(opening: folder)
            let blobs = try Directory(making: path + "/blobs")
            var done: Int64 = 0
            for file in files {
                try Self.copy(file, from: source, to: blobs)
                done += file.length
                show(done)
            }
        }
    }

    private static func copy(
        _ file: ManifestFile, from source: Directory, to blobs: Directory
    ) throws {
        let name = name(file.sha256)
        if let there = try blobs.status(name), there.size == file.length { return }
        let input = try source.open(file.path, .reading)
        let pending = try blobs.stage(name)
        var offset: Int64 = 0
        while offset < file.length {
            let end = min(offset + (1 << 20), file.length)
            try pending.file.write(try input.read(offset..<end), at: offset)
            offset = end
        }
        try pending.commit(.replacing)
    }

    private static func name(_ digest: SHA256Digest) -> TargetPath {
        guard let name = TargetPath(digest.hex) else { preconditionFailure("hex is a name") }
        return name
    }
}

/// The files of a built bundle, found by the digests that its manifest names.
private struct BlobFiles: BundleFiles {
    let built: BuiltFolder
    let manifest: Manifest

    func length(of path: TargetPath) throws(BundleFileError) -> Int64? {
        guard let file = manifest.file(at: path) else { return nil }
        return try reading(path) { try built.blob(file.sha256).size() }
    }

    func read(
        _ path: TargetPath, at offset: Int64, count: Int
    ) throws(BundleFileError) -> [UInt8] {
        guard let file = manifest.file(at: path) else {
            throw BundleFileError(
                path: path, reason: "expected a file of the manifest, got another")
        }
        return try reading(path) {
            try built.blob(file.sha256).read(offset..<offset + Int64(count))
        }
    }

    private func reading<Value>(
        _ path: TargetPath, _ work: () throws -> Value
    ) throws(BundleFileError) -> Value {
        do { return try work() } catch { throw BundleFileError(path: path, reason: "\(error)") }
    }
}
