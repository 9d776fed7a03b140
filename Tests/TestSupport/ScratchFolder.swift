import Glibc

/// An empty folder of one test's own, removed with all below it when the test lets go of it.
package final class ScratchFolder: Sendable {
    package let path: String

    /// - Parameters:
    ///   - name: the beginning of its name.
    ///   - isInMemory: for tests that sync thousands of times and look at the order only.
    package init(_ name: String = "fieldfare", isInMemory: Bool = false) {
        let memory = "/dev/shm"
        let isWritable = unsafe access(memory, W_OK | X_OK) == 0
        let base =
            isInMemory && isWritable
            ? memory : unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/\(name)-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        precondition(made, "cannot make a folder in \(base)")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // By a program of the system, since what removes trees may be what is under test.
        var words: [UnsafeMutablePointer<CChar>?] = unsafe []
        for word in ["/bin/rm", "-rf", "--", path] {
            unsafe words.append(unsafe strdup(word))
        }
        unsafe words.append(nil)
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var process = pid_t()
        guard unsafe posix_spawn(&process, "/bin/rm", nil, nil, words, environ) == 0 else { return }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    /// The path of something in the folder.
    package func path(_ name: String) -> String { "\(path)/\(name)" }
}
