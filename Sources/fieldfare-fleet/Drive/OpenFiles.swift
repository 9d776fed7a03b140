import Console
import Glibc

/// How many files, and so connections, this process may have open.
enum OpenFiles {
    /// Raises the limit as far as `count` needs it.
    ///
    /// - Throws: `Failure` where the hard limit is lower.
    static func allow(_ count: Int) throws(Failure) {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(files, &limit) == 0 else {
            throw Failure(.failed, "open files: the limit cannot be read")
        }
        guard limit.rlim_max >= count else {
            throw Failure(
                .failed, "open files: expected a limit of \(count) or more, got \(limit.rlim_max)",
                hint: "drive fewer devices, or raise the hard limit ('ulimit -Hn')")
        }
        limit.rlim_cur = max(limit.rlim_cur, rlim_t(count))
        guard unsafe setrlimit(files, &limit) == 0 else {
            throw Failure(.failed, "open files: the limit cannot be raised to \(count)")
        }
    }
}
