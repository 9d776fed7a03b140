import Glibc
package import PosixFiles
import Primitives

/// Reads and writes whole files at paths of the operating system, as a person names them.
package enum FileBytes {
    /// All bytes of the file that a path leads to, through links too: certificates and secrets are often behind some.
    ///
    /// - Throws: `Failure` naming the file.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try Failure.catching("file '\(path)'") {
            let (folder, name) = try split(resolved(path))
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

    /// Does what makes a folder where it is missing and puts files into it; where that fails, a folder that was missing
    /// is gone again, unless something is in it: another may have found it first.
    package static func making<Value>(
        _ folder: String, _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let isNew = isMissing(folder)
        do {
            return try work()
        } catch {
            if isNew { _ = unsafe rmdir(folder) }
            throw error
        }
    }

    /// Does what works in a folder; where it is missing, under another name first, so that others see it whole or not
    /// at all.
    ///
    /// - Throws: what `work` throws, and `busy` where another has made the folder meanwhile.
    package static func makingWhole<Value>(
        _ folder: String, _ work: (String) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard isMissing(folder) else { return try work(folder) }
        let (parent, name) = try split(folder)
        let draft = "\(parent)/\(name).new-\(UInt64.random(in: .min ... .max))"
        do {
            let value = try work(draft)
            try move(draft, to: name, folder)
            return value
        } catch {
            try? removeTree(draft)
            throw Failure(
                error.kind, error.text.replacing(draft, with: folder), hint: error.hint)
        }
    }

    /// Gives a folder its name, beside itself.
    private static func move(
        _ draft: String, to name: TargetPath, _ path: String
    ) throws(Failure) {
        let (parent, draft) = try split(draft)
        do {
            try Directory(opening: parent).rename(draft, to: name, isNew: true)
        } catch {
            guard case .exists = error else { throw Failure(.failed, "folder '\(path)': \(error)") }
            throw Failure(
                .busy, "folder '\(path)': expected none yet, got one made meanwhile",
                hint: "do it again")
        }
    }

    /// The path without links; as it is, where it leads nowhere.
    private static func resolved(_ path: String) -> String {
        guard let whole = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(whole) }
        return unsafe String(cString: whole)
    }

    private static func isMissing(_ folder: String) -> Bool {
        do {
            _ = try Directory(opening: folder)
            return false
        } catch {
            return error.isNotFound
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
