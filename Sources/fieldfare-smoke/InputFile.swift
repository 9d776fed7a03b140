import Glibc
import Speech

/// Why a file of the bundle cannot be read.
struct InputError: Error {
    let exit: SmokeExit
    let message: String
}

/// Reads small input files, whole and within a limit.
enum InputFile {
    /// - Throws: `InputError` where it cannot be read or holds more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(InputError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { space in
                unsafe Glibc.read(descriptor, space.baseAddress, space.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[0..<count])
            guard bytes.count <= limit else {
                throw InputError(
                    exit: .badInput, message: "\(path): expected at most \(limit) bytes, got more")
            }
        }
    }

    private static func failure(_ path: String) -> InputError {
        let reason = unsafe String(cString: strerror(errno))
        return InputError(
            exit: .unreadable, message: "\(path): expected a file to read, got: \(reason)")
    }
}
