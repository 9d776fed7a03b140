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
        // Whoever stops here must get the terminal back as it was: a signal ends the reading, not the program.
        let signals = [SIGINT, SIGQUIT, SIGTSTP, SIGTERM, SIGHUP]
        var quietly = sigaction()
        unsafe quietly.__sigaction_handler.sa_handler = { _ in }
        let held = signals.map { number in
            var before = sigaction()
            unsafe sigaction(number, &quietly, &before)
            return before
        }
        defer {
            for (number, before) in zip(signals, held) {
                var before = before
                unsafe sigaction(number, &before, nil)
            }
        }
        _ = unsafe tcsetattr(terminal, TCSAFLUSH, &quiet)
        defer { _ = unsafe tcsetattr(terminal, TCSAFLUSH, &old) }
        Output.prompt(question)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = unsafe Glibc.read(terminal, &byte, 1)
            guard count == 1 else {
                Output.prompt("\n")
                throw Failure(.interrupted, "passphrase: nothing was entered")
            }
            if byte == 0x0A { break }
            bytes.append(byte)
            guard bytes.count <= 1_024 else {
                throw Failure(.usage, "passphrase: expected at most 1024 bytes, got more")
            }
        }
        Output.prompt("\n")
        return bytes
    }

    /// Asks twice, for a secret that is new: nobody can tell later what was mistyped.
    ///
    /// - Throws: `Failure` where there is no terminal to ask at, or the two differ.
    package static func askNew(_ question: String) throws(Failure) -> [UInt8] {
        let first = try ask(question)
        guard try ask("Once more: ") == first else {
            throw Failure(.usage, "passphrase: expected the same twice, got two")
        }
        return first
    }
}
