import ArgumentParser
import Console
import Cryptography
import PosixFiles
import Primitives

/// `fieldfare keys external`: a key file for a key that another program holds.
struct KeysExternal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "external",
        abstract: "Writes a key file that names the program which signs with the key.",
        discussion: """
            For a key in an HSM, a KMS or an ssh-agent. The file stands wherever a key file is asked for; signing runs \
            the program, and the signature is verified before it is used (docs/formats/signer.md). Sign with a key \
            file of that kind only if you know who wrote it: its program runs as you. Arguments of the program that \
            begin with a dash need '--' before the program.

            EXAMPLE
              fieldfare keys external release-anna --public "$PUBLIC" --out keys \\
                  /usr/lib/fieldfare/signer/ssh-agent-signer
            """)

    @Argument(help: "What people call the key; also the file's name, without .json.")
    var name: String

    @Argument(help: "The program's absolute path, and its arguments.")
    var program: [String]

    @Option(name: .customLong("public"), help: "The public key, 64 hexadecimal digits.")
    var publicKey: String

    @Option(help: "The folder for the file.")
    var out = "."

    @Option(help: "Seconds that the program may take for a signature.")
    var timeout: Int64 = ExternalProgram.standardTimeout

    @OptionGroup var output: OutputOptions

    func run() throws {
        guard let key = Ed25519PublicKey(hex: publicKey), key.isStrong else {
            throw Failure(
                .usage, "--public: expected \(Ed25519PublicKey.expected), got '\(publicKey)'")
        }
        guard let program = ExternalProgram(program, timeoutSeconds: timeout) else {
            throw Failure(
                .usage,
                "program: expected an absolute path, its arguments and a timeout of 1 to 600 s, got another"
            )
        }
        let file = KeyFile(external: program, publicKey: key, name: name)
        try KeysCommand.write(file, in: out, output)
    }
}
