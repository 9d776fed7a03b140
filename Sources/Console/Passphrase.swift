import Glibc

/// Asks for a secret at the terminal, without showing it.
package enum Passphrase {
    /// - Throws: `Failure` where there is no terminal to ask at.
    package static func ask(_ question: String) throws(Failure) -> [UInt8] {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw Failure(
                .usage, "passphrase: expected a terminal to ask at, got none",
                hint: "use --passphrase-file, or the variable FIELDFARE_PASSPHRASE")
        }
        defer { close(terminal) }
        var old = termios()
        guard unsafe tcgetattr(terminal, &old) == 0 else {
            throw Failure(.failed, "passphrase: the terminal cannot be set")
        }
        var quiet = old
        quiet.c_lflag &= ~tcflag_t(ECHO)
        _ = unsafe tcsetattr(terminal, TCSAFLUSH, &quiet)
        defer { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &old) }
        Output.prompt(question)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe Glibc.read(terminal, &byte, 1) == 1, byte != 0x0A, bytes.count < 1_024 {
            bytes.append(byte)
        }
        Output.prompt("\n")
        return bytes
    }
}
