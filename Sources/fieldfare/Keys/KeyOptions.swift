import ArgumentParser
import Console
import Cryptography

/// How the passphrase of a key file is given; never as an argument.
struct PassphraseOptions: ParsableArguments {
    @Option(
        help:
            "A file whose first line is the passphrase; otherwise FIELDFARE_PASSPHRASE, or a prompt."
    )
    var passphraseFile: String?

    /// The passphrase from file, environment or terminal.
    func passphrase(for name: String) throws(Failure) -> [UInt8] {
        if let given = try given() { return given }
        return try Passphrase.ask("Passphrase of \(name): ")
    }

    /// The passphrase of a key that is being made: at a terminal it is asked for twice.
    func newPassphrase(for name: String) throws(Failure) -> [UInt8] {
        if let given = try given() { return given }
        return try Passphrase.askNew("Passphrase of \(name): ")
    }

    private func given() throws(Failure) -> [UInt8]? {
        if let passphraseFile {
            let bytes = try FileBytes.read(passphraseFile, limit: 1_024)
            return Array(bytes.prefix { $0 != 0x0A && $0 != 0x0D })
        }
        return Environment.value("FIELDFARE_PASSPHRASE").map { Array($0.utf8) }
    }

    /// Opens a key file for signing; nothing is asked for an external key.
    ///
    /// - Throws: `Failure` `refused` for a wrong passphrase.
    func signer(at path: String) throws(Failure) -> Signer {
        let file = try KeyFile.read(at: path)
        guard file.isEncrypted || passphraseFile == nil else {
            throw Failure(
                .usage, "'\(path)': expected an encrypted key for --passphrase-file, got another",
                hint: "leave the option out, if it is right that nothing protects the file")
        }
        if let program = file.external {
            return .program(SigningProgram(program: program, publicKey: file.publicKey))
        }
        let secret = file.isEncrypted ? try passphrase(for: "'\(path)'") : nil
        do {
            return .held(try file.open(passphrase: secret))
        } catch {
            throw Failure(
                error == .wrongPassphrase ? .refused : .failed, "'\(path)': \(error)",
                hint: error == .wrongPassphrase
                    ? "a passphrase cannot be recovered; ask who made the key" : nil)
        }
    }
}

extension KeyFile {
    /// Reads a key file; its private part stays closed.
    static func read(at path: String) throws(Failure) -> KeyFile {
        let bytes = try FileBytes.read(path, limit: KeyFile.byteLimit)
        do {
            return try KeyFile(parsing: bytes)
        } catch {
            throw Failure(.failed, "'\(path)': \(error)")
        }
    }
}
