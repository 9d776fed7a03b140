import AgentCore
import Glibc
import PosixFiles

extension SlotError {
    /// What the file system said, as an operation, a path and an error number.
    init(_ error: FileError) {
        self =
            switch error {
            case .notFound(let operation, let path):
                .system(operation: operation.rawValue, path: path, errno: ENOENT)
            case .exists(let operation, let path):
                .system(operation: operation.rawValue, path: path, errno: EEXIST)
            case .insufficientStorage(let operation, let path, let errno),
                .system(let operation, let path, let errno):
                .system(operation: operation.rawValue, path: path, errno: errno)
            case .linkRefused(let operation, let path):
                .system(operation: operation.rawValue, path: path, errno: ELOOP)
            case .wrongKind(let path, _, let found):
                .system(
                    operation: "open", path: path, errno: found == .folder ? EISDIR : EINVAL)
            case .linkEscapes(let path):
                .system(operation: "readlink", path: path, errno: ELOOP)
            case .tooLarge(let path, _, _): .system(operation: "read", path: path, errno: EFBIG)
            case .differs(let path): .system(operation: "rename", path: path, errno: EEXIST)
            case .short(let path, _, _): .system(operation: "read", path: path, errno: EIO)
            case .busy(let path): .system(operation: "lock", path: path, errno: EBUSY)
            }
    }

    /// Whether the disk could not read (`FileError.isReadError`).
    var isReadError: Bool {
        guard case .system(let name, let path, let errno) = self,
            let operation = FileOperation(rawValue: name)
        else { return false }
        return FileError.system(operation, path: path, errno: errno).isReadError
    }

    /// Whether the disk or the quota is full.
    var isOutOfSpace: Bool {
        guard case .system(_, _, let errno) = self else { return false }
        return errno == ENOSPC || errno == EDQUOT
    }
}

/// Does file work in the terms of the port.
func onDisk<Value: ~Copyable>(
    _ work: () throws(FileError) -> Value
) throws(SlotError) -> Value {
    do { return try work() } catch { throw SlotError(error) }
}

extension FileError {
    /// Whether it says that the bytes on the disk are not what they were: gone, cut, or replaced.
    var meansRot: Bool {
        switch self {
        case .notFound, .linkRefused, .wrongKind, .linkEscapes, .tooLarge, .short: true
        case .system(let operation, _, let errno):
            operation == .read && [EUCLEAN, EBADMSG, EILSEQ].contains(errno)
        case .exists, .insufficientStorage, .differs, .busy: false
        }
    }

    /// Whether the disk could not read: for a moment, or for good, which only time tells.
    var isReadError: Bool {
        guard case .system(let operation, _, EIO) = self else { return false }
        return [.open, .read, .status, .list, .readlink].contains(operation)
    }
}
