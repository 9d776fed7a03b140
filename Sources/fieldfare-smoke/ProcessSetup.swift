import Glibc

/// Makes this process a plain one to judge: nothing open that it does not need, no signal handled.
enum ProcessSetup {
    /// Keeps standard output for the one line, and sends what the runtime may print there to standard error.
    ///
    /// - Returns: the descriptor to write the line to; negative where there is none.
    static func reserveOutput() -> Int32 {
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        if output >= 0 { _ = dup2(STDERR_FILENO, STDOUT_FILENO) }
        return output
    }

    /// Closes every inherited descriptor but the three standard ones, and puts nothing on standard input.
    static func closeInherited() {
        for descriptor in openDescriptors() where descriptor > STDERR_FILENO { close(descriptor) }
        let nothing = unsafe open("/dev/null", O_RDONLY)
        guard nothing >= 0 else { return }
        _ = dup2(nothing, STDIN_FILENO)
        if nothing != STDIN_FILENO { close(nothing) }
    }

    /// A crash must end the process by its own signal, at once: no handler of ours or of Swift's.
    static func resetSignals() {
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SIGQUIT] {
            signal(number, SIG_DFL)
        }
    }

    private static func openDescriptors() -> [Int32] {
        guard let folder = unsafe opendir("/proc/self/fd") else { return [] }
        defer { unsafe closedir(folder) }
        var descriptors: [Int32] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { descriptors.append(number) }
        }
        let own = unsafe dirfd(folder)
        return descriptors.filter { $0 != own }
    }
}
