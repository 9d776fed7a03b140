import CPosixShims
import Glibc
import TestSupport
import Testing

/// `openssl s_server` on loopback, with certificates made for it; stopped with the object.
final class TLSServer: Sendable {
    let port: Int
    private let process: pid_t

    /// - Parameters:
    ///   - folder: holds `<name>.pem`, `<name>.key` and the files to be served.
    ///   - name: whose certificate to show.
    ///   - options: more for `s_server`, such as how it answers.
    /// - Throws: where openssl does not start.
    init(in folder: ScratchFolder, as name: String, _ options: [String] = ["-WWW"]) throws {
        let output = try Self.pipe()
        process = try Self.spawn(
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", name + ".pem", "-key",
                name + ".key",
            ] + options, in: folder.path, output: output.write)
        close(output.write)
        defer { close(output.read) }
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 256)
        while !text.contains("ACCEPT") || !text.hasSuffix("\n") {
            let count = unsafe read(output.read, &buffer, buffer.count)
            try #require(count > 0, "openssl said: \(text)")
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.contains("ACCEPT") })
        port = try #require(
            Int(
                line.reversed().prefix { $0.isNumber }.reversed().map(String.init)
                    .joined()))
    }

    deinit {
        kill(process, SIGKILL)
        var status: Int32 = 0
        _ = unsafe cposix_wait(process, &status, true)
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        let answer = unsafe cposix_pipe(&ends)
        try #require(answer == 0)
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ words: [String], in folder: String, output: Int32
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
        let shell = ["sh", "-c", "cd \"$0\" && exec openssl \"$@\"", folder]
        for word in shell + words { unsafe arguments.append(unsafe strdup(word)) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var process = pid_t()
        let answer = unsafe posix_spawnp(&process, "sh", &actions, nil, arguments, environ)
        try #require(answer == 0, "cannot start openssl")
        return process
    }
}
