package import Cryptography
import Primitives

/// Keys from fixed seeds, by name: the same in every test and on every machine.
///
/// TEST ONLY: anyone can make them.
package enum TestKeys {
    package static func key(_ name: String) -> Ed25519PrivateKey {
        let seed = SHA256.digest(of: Array("fieldfare test key: \(name)".utf8)).bytes
        guard let key = Ed25519PrivateKey(seed: seed) else {
            preconditionFailure("a digest has 32 bytes")
        }
        return key
    }

    /// `name-1`, `name-2` and so on.
    package static func keys(_ name: String, count: Int) -> [Ed25519PrivateKey] {
        (1...count).map { key("\(name)-\($0)") }
    }
}
