package import PosixFiles
import Primitives

/// Reads and writes whole files at paths of the operating system, as a person names them.
package enum FileBytes {
    /// - Throws: `Failure` naming the file.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try Failure.catching("file '\(path)'") {
            let (folder, name) = try split(path)
            return try Directory(opening: folder).read(name, limit: limit)
        }
    }

    /// Writes durably; makes the folder where it is missing.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: FileMode = .shared
    ) throws(Failure) {
        let (folder, name) = try split(path)
        try making(folder) { () throws(Failure) in
            try Failure.catching("file '\(path)'") {
                try Directory(making: folder).replace(name, with: bytes, mode: mode)
            }
        }
    }

    /// Does what makes a folder where it is missing and fills it; where that fails, a folder that it made is gone.
    package static func making<Value: ~Copyable>(
        _ folder: String, _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let isNew = [".", "/"].contains(folder) ? false : !(try exists(folder))
        do {
            return try work()
        } catch {
            if isNew { try? removeTree(folder) }
            throw error
        }
    }

    /// Whether something of that name is there.
    package static func exists(_ path: String) throws(Failure) -> Bool {
        try Failure.catching("file '\(path)'") {
            let (folder, name) = try split(path)
            do {
                return try Directory(opening: folder).status(name) != nil
            } catch let error as FileError where error.isNotFound {
                return false
            }
        }
    }

    /// Removes a folder with all below it; nothing where there is none.
    package static func removeTree(_ path: String) throws(Failure) {
        try Failure.catching("folder '\(path)'") {
            let (folder, name) = try split(path)
            _ = try Directory(opening: folder).removeTree(name)
        }
    }

    private static func split(_ path: String) throws(Failure) -> (folder: String, name: TargetPath)
    {
        let parts = path.split(separator: "/")
        guard let last = parts.last, let name = TargetPath(String(last)) else {
            throw Failure(.usage, "path: expected one of a file, got '\(path)'")
        }
        let trailing = path.reversed().prefix { $0 == "/" }.count
        let folder = String(path.dropLast(trailing + last.count))
        return (folder.isEmpty ? "." : folder, name)
    }
}
