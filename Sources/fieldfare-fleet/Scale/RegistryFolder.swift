import Console
import Glibc
import PosixFiles
import Primitives

/// Where the registry of a simulation has its files.
struct RegistryFolder {
    let path: String
    /// The folder that it was made in, and its name there; nil where it was there before.
    private let place: (parent: String, name: TargetPath)?

    /// The folder at a path, which must be there; without one, a new folder for temporary files.
    init(_ path: String?) throws(Failure) {
        if let path {
            (self.path, place) = (path, nil)
            return
        }
        let parent = Environment.value("TMPDIR") ?? "/tmp"
        var template = Array("\(parent)/fieldfare-fleet-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        let made = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard isMade, let name = TargetPath(String(made.dropFirst(parent.utf8.count + 1))) else {
            throw Failure(.failed, "folder in '\(parent)': \(ErrorNumber(errno))")
        }
        self.path = made
        place = (parent, name)
    }

    /// Removes it, unless it was there before.
    func remove() {
        guard let place else { return }
        _ = try? Directory(opening: place.parent).removeTree(place.name)
    }
}
