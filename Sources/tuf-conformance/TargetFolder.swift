import CurlTransport
import PosixFiles
import Primitives
import TUF

/// Downloaded targets in one folder, each under its full path, percent-encoded, as python-tuf names them.
struct TargetFolder {
    private let folder: Directory

    init(making path: String) throws(FileError) {
        folder = try Directory(making: path)
    }

    /// Fetches a target, unless the very bytes are here already; a file gets its name only when they are verified.
    func fetch(
        _ file: TargetFile, from repository: Repository, at url: String
    ) throws {
        let name = PercentEncoding.encode(file.path.description)
        guard name.utf8.count <= NameTooLong.limit, let path = TargetPath(name) else {
            throw NameTooLong(path: file.path)
        }
        guard try !holds(file, at: path) else { return }
        let pending = try folder.stage(path)
        var check = TargetCheck(file)
        var written: Int64 = 0
        do {
            try repository.download(url, limit: file.length) { piece in
                try check.take(piece)
                try pending.file.write(piece, at: written)
                written += Int64(piece.byteCount)
            }
        } catch {
            switch error {
            case .sink(let reason): throw reason
            case .transport(let reason): throw Failure(file: file, reason: reason)
            }
        }
        try check.finish()
        try pending.commit(.replacing)
    }

    /// Whether a file is here that has the length and the digests of the target.
    private func holds(_ file: TargetFile, at path: TargetPath) throws -> Bool {
        guard let status = try folder.status(path), status.kind == .file, status.size == file.length
        else { return false }
        let open = try folder.open(path, .reading)
        var check = TargetCheck(file)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var offset: Int64 = 0
        while case let count = try open.read(into: &buffer, at: offset), count > 0 {
            do { try check.take(unsafe buffer.span.bytes.extracting(first: count)) } catch {
                return false
            }
            offset += Int64(count)
        }
        do { try check.finish() } catch { return false }
        return true
    }

    /// A path of which no file name can be made.
    struct NameTooLong: Error, CustomStringConvertible {
        /// NAME_MAX of Linux's file systems.
        static let limit = 255

        let path: TargetPath

        var description: String {
            "cannot keep target '\(path)': expected at most \(Self.limit) bytes when percent-encoded, got "
                + "\(PercentEncoding.encode(path.description).utf8.count)"
        }
    }

    /// Why a target could not be fetched.
    struct Failure: Error, CustomStringConvertible {
        let file: TargetFile
        let reason: TransportError

        var description: String { "cannot get target '\(file.path)' of \(file.role): \(reason)" }
    }
}
