import CSodium
import Primitives
import TestSupport
import Testing

@testable import Cryptography

struct Ed25519Tests {
    struct Vector: Sendable {
        let seed: String
        let key: String
        let message: String
        let signature: String
    }

    /// RFC 8032 section 7.1, tests 1 to 3.
    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test(arguments: vectors)
    func `signs and verifies the vectors of RFC 8032`(vector: Vector) throws {
        let seed = try #require(Hex.decode(vector.seed))
        let key = try #require(Ed25519PrivateKey(seed: seed))
        let message = try #require(Hex.decode(vector.message))
        #expect(key.publicKey.hex == vector.key)
        #expect(Hex.encode(key.sign(message)) == vector.signature)
        let signature = try #require(Hex.decode(vector.signature))
        #expect(key.publicKey.isValid(signature, for: message))
        #expect(!key.publicKey.isValid(signature, for: message + [0]))
    }

    @Test(arguments: 0..<64)
    func `refuses a signature with one bit changed in any byte`(index: Int) {
        let key = TestKeys.key("one")
        var signature = key.sign([1, 2, 3])
        signature[index] ^= 1 << (index % 8)
        #expect(!key.publicKey.isValid(signature, for: [1, 2, 3]))
    }

    @Test(arguments: [0, 32, 63, 65, 128])
    func `refuses a signature of another length than 64`(count: Int) {
        let key = TestKeys.key("one")
        let signature = Array((key.sign([]) + key.sign([])).prefix(count))
        #expect(!key.publicKey.isValid(signature, for: []))
    }

    @Test func `refuses an S that is not below the group's order`() throws {
        let key = TestKeys.key("one")
        var signature = key.sign([9])
        #expect(key.publicKey.isValid(signature, for: [9]))
        var carry = 0
        for index in 0..<32 {  // S + L, the same number modulo L
            let sum = Int(signature[32 + index]) + Int(Edwards.order[index]) + carry
            signature[32 + index] = UInt8(sum & 0xFF)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!key.publicKey.isValid(signature, for: [9]))
    }

    /// A small-order key makes every message pass a lax verifier: S times the base point equals R.
    @Test(arguments: Edwards.smallOrder)
    func `refuses public keys of small order, in every spelling`(hex: String) throws {
        let key = try #require(Ed25519PublicKey(hex: hex))
        #expect(!key.isStrong)
        for seed in 0..<16 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let s = Edwards.reduced(random.bytes(64))
            let message = random.bytes(8)
            #expect(!key.isValid(Edwards.multiplied(s) + s, for: message))
        }
    }

    @Test(arguments: Edwards.smallOrder)
    func `refuses a signature whose R is of small order, in every spelling`(hex: String) throws {
        let seed = [UInt8](repeating: 5, count: 32)
        let key = try #require(Ed25519PrivateKey(seed: seed)).publicKey
        let r = try #require(Hex.decode(hex))
        for number in 0..<16 as Range<UInt8> {
            let message = [number]
            let challenge = Edwards.reduced(SHA512.digest(of: r + key.bytes + message))
            let s = Edwards.product(challenge, Edwards.scalar(of: seed))
            #expect(!key.isValid(r + s, for: message))
        }
    }

    /// One private key, another public key: libsodium alone would count it as a second signer.
    @Test func `refuses a public key with a component of small order`() throws {
        let seed = [UInt8](repeating: 7, count: 32)
        let honest = try #require(Ed25519PrivateKey(seed: seed)).publicKey
        let torsion = try #require(Hex.decode(Edwards.orderEight))
        let twin = try #require(Ed25519PublicKey(Edwards.sum(honest.bytes, torsion)))
        #expect(twin != honest)
        let message: [UInt8] = [1]
        let signatures = (0..<200 as Range<UInt64>).map { number in
            var random = SeededGenerator(seed: number)
            let nonce = Edwards.reduced(random.bytes(64))
            let r = Edwards.multiplied(nonce)
            let challenge = Edwards.reduced(SHA512.digest(of: r + twin.bytes + message))
            return r + Edwards.total(nonce, Edwards.product(challenge, Edwards.scalar(of: seed)))
        }
        let accepted = signatures.filter { signature in
            let result = unsafe crypto_sign_verify_detached(
                signature, message, UInt64(message.count), twin.bytes)
            return result == 0
        }
        #expect(accepted.count > 0)
        #expect(!twin.isStrong)
        for signature in accepted { #expect(!twin.isValid(signature, for: message)) }
    }

    /// The 19 numbers from p to 2^255 - 1 are second spellings of 0 to 18; for each, both signs of x.
    @Test func `refuses a public key whose y is not below p, in all 38 spellings`() throws {
        for y in 0..<19 as Range<UInt8> {
            for sign in [0, 0x80] as [UInt8] {
                var plain = [UInt8](repeating: 0, count: 32)
                plain[0] = y
                plain[31] = sign
                let above = [0xED + y] + [UInt8](repeating: 0xFF, count: 30) + [0x7F | sign]
                let key = try #require(Ed25519PublicKey(above))
                #expect(!key.isStrong, "p + \(y), sign \(sign)")
                // Nor is the plain spelling one: no point so small in y is in the prime-order group.
                #expect(try !#require(Ed25519PublicKey(plain)).isStrong)
            }
        }
    }

    @Test func `needs libsodium 1.0.18, whose library version is 10.3`() {
        #expect(!Sodium.isNewEnough(major: 10, minor: 2))
        #expect(!Sodium.isNewEnough(major: 9, minor: 9))
        #expect(Sodium.isNewEnough(major: 10, minor: 3))
        #expect(Sodium.isNewEnough(major: 26, minor: 0))
    }

    @Test func `refuses bytes that are no point of the curve`() throws {
        var bytes = [UInt8](repeating: 0, count: 32)
        bytes[0] = 2
        let key = try #require(Ed25519PublicKey(bytes))
        #expect(!key.isStrong)
        #expect(!key.isValid(TestKeys.key("one").sign([]), for: []))
    }

    @Test func `takes 32 bytes for a key, and nothing else`() {
        for count in [0, 31, 33, 64] {
            #expect(Ed25519PublicKey([UInt8](repeating: 1, count: count)) == nil)
            #expect(Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: count)) == nil)
        }
        #expect(Ed25519PublicKey(hex: String(repeating: "A", count: 64)) == nil)
    }

    @Test func `makes a key from the random numbers it is given`() {
        var one = SeededGenerator(seed: 1)
        var again = SeededGenerator(seed: 1)
        let key = Ed25519PrivateKey(using: &one)
        #expect(key.publicKey == Ed25519PrivateKey(using: &again).publicKey)
        #expect(key.publicKey != Ed25519PrivateKey(using: &one).publicKey)
        var system = SystemRandom()
        let keys = (0..<8).map { _ in Ed25519PrivateKey(using: &system).publicKey }
        #expect(Set(keys).count == 8)
    }

    @Test func `derives the key id that python-tuf derives`() throws {
        let key = try #require(Ed25519PublicKey(hex: Self.vectors[0].key))
        #expect(
            key.keyID.description
                == "74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916")
    }

    @Test func `tells key ids apart by their bytes`() throws {
        let composed = try #require(KeyID("\u{E9}"))
        let decomposed = try #require(KeyID("e\u{301}"))
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(KeyID("") == nil)
        #expect(KeyID(String(repeating: "k", count: 257)) == nil)
    }

    @Test func `compares secrets`() {
        #expect(ConstantTime.areEqual([1, 2], [1, 2]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 3]))
        #expect(!ConstantTime.areEqual([1, 2], [1]))
        #expect(ConstantTime.areEqual([], []))
    }

    @Test(arguments: 0...17)
    func `draws as many random bytes as asked for`(count: Int) {
        var random = SeededGenerator(seed: 3)
        var system = SystemRandom()
        #expect(random.bytes(count).count == count)
        #expect(system.bytes(count).count == count)
    }
}
