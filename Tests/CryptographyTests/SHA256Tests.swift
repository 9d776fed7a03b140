import Cryptography
import Primitives
import TestSupport
import Testing

struct SHA256Tests {
    /// FIPS 180-4's examples, as NIST publishes them.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `hashes the examples of FIPS 180-4`(text: String, digest: String) {
        #expect(SHA256.digest(of: Array(text.utf8)).hex == digest)
    }

    @Test func `hashes a million letters in pieces`() {
        var hash = SHA256()
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
        for _ in 0..<1_000 { hash.update(piece) }
        let digest = hash.finish()
        #expect(
            digest.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `does not depend on how the message is cut`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let message = random.bytes(Int.random(in: 0...5_000, using: &random))
        var hash = SHA256()
        var rest = message[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...rest.count, using: &random)
            if Bool.random(using: &random) {
                hash.update(rest.prefix(count))
            } else {
                unsafe rest.prefix(count).withUnsafeBytes { unsafe hash.update($0) }
            }
            rest = rest.dropFirst(count)
        }
        let digest = hash.finish()
        #expect(digest == SHA256.digest(of: message))
        unsafe message.withUnsafeBytes { #expect(unsafe SHA256.digest(of: $0) == digest) }
    }

    @Test func `hashes the example of FIPS 180-4 with SHA-512`() {
        #expect(
            Hex.encode(SHA512.digest(of: Array("abc".utf8)))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    }
}
