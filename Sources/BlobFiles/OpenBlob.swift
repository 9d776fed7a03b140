import PosixFiles
import RegistryCore

/// A blob's file, open for reading at any offset, by several threads at once.
struct OpenBlob: BlobReading {
    let file: OpenFile
    let length: Int64

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int {
        do { return try unsafe file.read(into: buffer, at: offset) } catch {
            throw RegistryError(error)
        }
    }

    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int? {
        do { return try unsafe file.readCached(into: buffer, at: offset) } catch {
            throw RegistryError(error)
        }
    }
}

extension RegistryError {
    /// A full disk is the asker's to know; all else is for the log.
    init(_ error: FileError) {
        self = error.isOutOfSpace ? .insufficientStorage : .storage(error.description)
    }
}
