import AgentCore
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Chunks that lie on the device already, in files that are not the wanted ones as a whole.
///
/// Found by digest: in the other slot's bundle, and in a damaged file of which some chunks are still good. They are read
/// and hashed before they are used, so a wrong promise costs time and nothing else.
struct DonorChunks {
    private struct Place {
        let folder: Directory
        let path: TargetPath
        let length: Int64
        let range: Range<Int64>
    }

    private var places: [SHA256Digest: [Place]] = [:]
    private var opened: (path: String, file: OpenFile)?

    /// Promises the chunks of a file by its manifest entry.
    mutating func add(_ file: ManifestFile, in folder: Directory, at path: TargetPath) {
        for (index, digest) in file.chunks.enumerated() {
            places[digest, default: []].append(
                Place(
                    folder: folder, path: path, length: file.length,
                    range: file.range(ofChunk: index)))
        }
    }

    /// The bytes of a chunk, if a place that promises them keeps the promise.
    mutating func chunk(
        _ digest: SHA256Digest, length: Int64, until stop: Interrupt
    ) throws(SlotError) -> [UInt8]? {
        guard let candidates = places[digest] else { return nil }
        for place in candidates where Int64(place.range.count) == length {
            if stop.isSet { throw .interrupted }
            guard let bytes = try read(place), SHA256.digest(of: bytes) == digest else { continue }
            return bytes
        }
        places[digest] = nil
        return nil
    }

    private mutating func read(_ place: Place) throws(SlotError) -> [UInt8]? {
        guard let file = try open(place) else { return nil }
        do { return try file.read(place.range) } catch {
            if error.meansRot || error.isReadError { return nil }
            throw SlotError(error)
        }
    }

    /// Keeps one file open, since chunks are asked for in the order in which they lie.
    private mutating func open(_ place: Place) throws(SlotError) -> OpenFile? {
        let name = "\(place.folder.path)/\(place.path)"
        if let opened, opened.path == name { return opened.file }
        let file = try FileHasher.open(place.folder, place.path, length: place.length)
        opened = file.map { (name, $0) }
        return file
    }
}
