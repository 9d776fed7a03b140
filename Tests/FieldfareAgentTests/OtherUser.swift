import Glibc
import Primitives
import Testing

/// Another user of the machine, who speaks to the agent's socket; only root can play them.
///
/// It takes a process of its own, since the kernel tells who connected by that process's credentials.
enum OtherUser {
    /// `nobody`.
    static let number: uid_t = 65_534

    /// Sends one line as that user.
    ///
    /// - Parameters:
    ///   - line: the request.
    ///   - socket: where anybody may connect.
    ///   - file: where the answer passes through.
    /// - Returns: the answer.
    /// - Throws: what the test then fails with.
    static func ask(_ line: String, at socket: String, through file: String) throws -> JSON {
        let program = """
            use Socket;
            my ($path, $line, $file) = @ARGV;
            open(my $out, '>', $file) or die "$file: $!";
            ($), $>) = ("\(number) \(number)", \(number));
            socket(my $agent, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
            connect($agent, pack_sockaddr_un($path)) or die "$path: $!";
            syswrite($agent, "$line\\n") or die "write: $!";
            print $out scalar(readline($agent));
            """
        try run(["/usr/bin/perl", "-e", program, "--", socket, line, file])
        let answer = unsafe open(file, O_RDONLY)
        try #require(answer >= 0)
        defer { close(answer) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe read(answer, &bytes, bytes.count)
        return try JSON(parsing: Array(bytes.prefix(max(0, count))), limit: 65_536)
    }

    private static func run(_ words: [String]) throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
        for word in words { unsafe arguments.append(unsafe strdup(word)) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var process = pid_t()
        try #require(
            unsafe posix_spawn(&process, words[0], nil, nil, arguments, environ) == 0)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 { try #require(errno == EINTR) }
        try #require(status == 0, "\(words[0]) failed")
    }
}
