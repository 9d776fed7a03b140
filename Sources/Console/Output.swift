import Glibc
package import Primitives

/// Where programs write: data to standard output, all else to standard error.
package enum Output {
    /// One JSON object on a line of standard output.
    package static func json(_ json: JSON) { write(json.bytes + [0x0A], to: STDOUT_FILENO) }

    /// One line of text on standard output, or several; control characters are shown, not sent.
    package static func line(_ text: String) {
        write(Array((text.visibleLines + "\n").utf8), to: STDOUT_FILENO)
    }

    /// Bytes on standard output, as they are.
    package static func bytes(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// One line on standard error, or several; control characters are shown, not sent.
    package static func note(_ text: String) {
        write(Array((text.visibleLines + "\n").utf8), to: STDERR_FILENO)
    }

    /// Text on standard error, without a line's end: prompts and progress.
    package static func prompt(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Makes a limit on the size of files an error of the write, as a full disk is, and not the program's end.
    package static func prepare() { _ = signal(SIGXFSZ, SIG_IGN) }

    package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    package static var hasTerminalForNotes: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes all of it; gives up silently where nobody reads any more.
    ///
    /// Data that does not fit on a disk must not end as a success: then the program ends with 1.
    private static func write(_ bytes: [UInt8], to file: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.write(file, buffer.baseAddress, buffer.count)
            }
            let code = errno
            guard count > 0 || code == EINTR else {
                if file == STDOUT_FILENO, [ENOSPC, EDQUOT, EFBIG, EIO].contains(code) {
                    let reason = unsafe String(cString: strerror(code))
                    note("standard output: expected room for the data, got: \(reason)")
                    exit(Failure.Kind.failed.rawValue)
                }
                return
            }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
