import Console
import Cryptography

/// What makes signatures: a key that this program holds, or a program that holds one.
enum Signer {
    case held(Ed25519PrivateKey)
    case program(SigningProgram)

    var publicKey: Ed25519PublicKey {
        switch self {
        case .held(let key): key.publicKey
        case .program(let program): program.publicKey
        }
    }

    /// The signature of a message, 64 bytes.
    func sign(_ message: [UInt8]) throws(Failure) -> [UInt8] {
        switch self {
        case .held(let key): key.sign(message)
        case .program(let program): try program.sign(message)
        }
    }
}
