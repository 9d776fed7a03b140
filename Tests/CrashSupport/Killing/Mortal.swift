import CCrashShims
import Glibc

/// A piece of work in a child process of its own, which may be killed.
enum Mortal {
    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// The witness whose other end is in the parent.
    struct Pipe: Witnessing {
        let end: Int32

        func see(_ sight: Sight) {
            let bytes = Array((sight.line + "\n").utf8)
            var done = 0
            while done < bytes.count {
                let count = unsafe bytes[done...].withUnsafeBytes {
                    unsafe write(end, $0.baseAddress, $0.count)
                }
                // Nobody hears any more: the parent is gone.
                if count <= 0 { _exit(3) }
                done += count
            }
        }
    }

    /// Forks, runs the work, and waits for its end; a child that takes longer than a minute is ended by SIGALRM.
    ///
    /// For a process of one thread.
    ///
    /// - Returns: how it ended, and all that its witness saw.
    static func run(_ work: (Pipe) throws -> Void) throws -> (ending: Ending, sights: [Sight]) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw StoryError("no pipe") }
        let child = crash_fork()
        guard child >= 0 else { throw StoryError("cannot fork") }
        if child == 0 {
            close(ends[0])
            alarm(60)
            let pipe = Pipe(end: ends[1])
            do {
                try work(pipe)
                _exit(0)
            } catch {
                pipe.see(.failure("\(error)".replacing("\n", with: " ")))
                _exit(1)
            }
        }
        close(ends[1])
        let text = read(ends[0])
        close(ends[0])
        let end = crash_wait(child)
        let sights = String(decoding: text, as: UTF8.self).split(separator: "\n")
            .compactMap { Sight(line: $0) }
        return (end > 0 ? .signalled(end) : .exited(-end), sights)
    }

    private static func read(_ end: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(end, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Descriptors that this process has open.
    static func openDescriptors() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
