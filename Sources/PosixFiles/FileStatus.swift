import CPosixShims
import Glibc

/// What the file system says about a file, a folder or a link; links are never followed.
package struct FileStatus: Sendable, Hashable {
    /// What kind of thing a name stands for.
    package enum Kind: String, Sendable, Hashable {
        case file
        case folder
        case link
        case other = "device, pipe or socket"
    }

    package let kind: Kind
    package let size: Int64
    /// Bytes of disk it takes, shared blocks included; less than `size` for a file with holes.
    package let allocatedBytes: Int64
    /// The permission bits, `0o000` to `0o7777`.
    package let mode: UInt32
    /// The numeric user id of its owner.
    package let owner: UInt32
    /// How many names it has.
    package let links: UInt32
    /// With `inode`, what makes it the same file under two names.
    package let device: UInt64
    package let inode: UInt64
    /// When its bytes last changed, in nanoseconds since 1970; a clock's word, not proof.
    package let modifiedNanoseconds: Int64

    init(_ status: cposix_status) {
        kind =
            switch status.mode & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .file
            case UInt32(S_IFDIR): .folder
            case UInt32(S_IFLNK): .link
            default: .other
            }
        size = status.size
        allocatedBytes = status.allocated_bytes
        mode = status.mode & 0o7777
        owner = status.owner
        links = status.links
        device = status.device
        inode = status.inode
        modifiedNanoseconds = status.modified_nanoseconds
    }

    /// Whether both are the same file, by whatever names.
    package func isSameFile(as other: FileStatus) -> Bool {
        device == other.device && inode == other.inode
    }
}
