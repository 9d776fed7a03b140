import CPosixShims
import Glibc
import Primitives

/// What was being done to a file when it failed; the names are like those of the system calls.
package enum FileOperation: String, Sendable, Hashable {
    case open
    case read
    case write
    case sync
    /// Begins to write out, and makes nothing durable.
    case writeback
    case truncate
    case chmod
    case reserve
    /// Gives the blocks of a range back; it then reads as zeros.
    case punch
    /// Asks where data and holes lie.
    case seek
    /// Says how the file will be read.
    case advise
    case status
    case space
    case rename
    case link
    case clone
    case copy
    case unlink
    case mkdir
    case symlink
    case readlink
    case list
    case lock
}

/// Why `PosixFiles` did not do what it was asked; `path` is for people, with the root's own path in front.
package enum FileError: Error, Sendable, Hashable {
    /// Nothing is there, or a folder on the way to it is missing.
    case notFound(FileOperation, path: String)
    /// Something is there already, where something new was to be.
    case exists(FileOperation, path: String)
    /// The disk or the quota is full.
    case insufficientStorage(FileOperation, path: String, errno: Int32)
    /// A symbolic link stands where only files and folders may, so the way could lead out of the root.
    case linkRefused(FileOperation, path: String)
    /// It is there, and it is not what was asked for.
    case wrongKind(path: String, expected: FileStatus.Kind, found: FileStatus.Kind)
    /// A symbolic link whose target is no contained relative path.
    case linkEscapes(path: String)
    /// More bytes, entries or levels than the reader allows.
    case tooLarge(path: String, limit: Int64, found: Int64)
    /// An immutable file holds other bytes than those offered.
    case differs(path: String)
    /// The file ended before the bytes that were asked for.
    case short(path: String, expected: Int64, found: Int64)
    /// Another holder kept the lock for the whole time.
    case busy(path: String)
    /// Any other refusal by the system.
    case system(FileOperation, path: String, errno: Int32)

    /// Sorts an error number into the cases that callers tell apart.
    package init(_ operation: FileOperation, path: String, errno: Int32) {
        switch errno {
        case ENOENT: self = .notFound(operation, path: path)
        case EEXIST, ENOTEMPTY: self = .exists(operation, path: path)
        case ENOSPC, EDQUOT: self = .insufficientStorage(operation, path: path, errno: errno)
        case ELOOP: self = .linkRefused(operation, path: path)
        default: self = .system(operation, path: path, errno: errno)
        }
    }

    /// Nothing is there: for many callers an answer rather than a failure.
    package var isNotFound: Bool {
        switch self {
        case .notFound: true
        case .exists, .insufficientStorage, .linkRefused, .wrongKind, .linkEscapes, .tooLarge,
            .differs, .short, .busy, .system:
            false
        }
    }

    /// No room is left: passing, since somebody may free some.
    package var isOutOfSpace: Bool {
        switch self {
        case .insufficientStorage: true
        case .notFound, .exists, .linkRefused, .wrongKind, .linkEscapes, .tooLarge, .differs,
            .short, .busy, .system:
            false
        }
    }
}

extension FileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let operation, let path):
            "cannot \(operation.rawValue) '\(path)': no such file or folder"
        case .exists(let operation, let path):
            "cannot \(operation.rawValue) '\(path)': it exists already"
        case .insufficientStorage(let operation, let path, let errno):
            "cannot \(operation.rawValue) '\(path)': no space left (\(Self.name(errno)))"
        case .linkRefused(let operation, let path):
            "cannot \(operation.rawValue) '\(path)': a symbolic link is in the way"
        case .wrongKind(let path, let expected, let found):
            "cannot use '\(path)': expected a \(expected.rawValue), got a \(found.rawValue)"
        case .linkEscapes(let path):
            "cannot use link '\(path)': expected a relative target without '..'"
        case .tooLarge(let path, let limit, let found):
            "cannot use '\(path)': expected at most \(limit), got \(found)"
        case .differs(let path):
            "cannot publish '\(path)': other bytes are there already"
        case .short(let path, let expected, let found):
            "cannot read '\(path)': expected \(expected) bytes, got \(found)"
        case .busy(let path):
            "cannot lock '\(path)': another process holds it"
        case .system(let operation, let path, let errno):
            "cannot \(operation.rawValue) '\(path)': \(ErrorNumber(errno))"
        }
    }

    private static func name(_ errno: Int32) -> String {
        unsafe String(cString: cposix_error_name(errno))
    }
}
