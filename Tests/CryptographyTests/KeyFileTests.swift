import Cryptography
import Primitives
import TestSupport
import Testing

struct KeyFileTests {
    static let key = TestKeys.key("key file")
    static let passphrase = Array("correct horse battery staple".utf8)

    static func encrypted(seed: UInt64 = 1) throws -> KeyFile {
        var random = SeededGenerator(seed: seed)
        return try KeyFile(
            encrypting: key, name: "release", passphrase: passphrase, cost: .least, using: &random)
    }

    /// The fields of a file's JSON, and of its private part, with some of them changed.
    static func changed(
        _ file: KeyFile, _ changes: JSONObject = [:], private inner: JSONObject = [:]
    ) throws -> [UInt8] {
        var fields = try #require(JSON(parsing: file.bytes, limit: KeyFile.byteLimit).object)
        var own = try #require(fields["private"]?.object)
        own.merge(inner) { $1 }
        fields["private"] = .object(own)
        fields.merge(changes) { $1 }
        return JSON.object(fields).bytes
    }

    @Test func `opens an encrypted file with its passphrase`() throws {
        let file = try KeyFile(parsing: Self.encrypted().bytes)
        #expect(file == (try Self.encrypted()))
        #expect(file.isEncrypted)
        #expect(file.name == "release")
        #expect(file.keyID == Self.key.publicKey.keyID)
        let opened = try file.open(passphrase: Self.passphrase)
        #expect(opened.publicKey == Self.key.publicKey)
        #expect(opened.sign([1]) == Self.key.sign([1]))
    }

    @Test func `opens a plain file without a passphrase, and with none`() throws {
        let file = try KeyFile(parsing: KeyFile(plain: Self.key, name: "online").bytes)
        #expect(!file.isEncrypted)
        #expect(try file.open(passphrase: nil).sign([1]) == Self.key.sign([1]))
        #expect(throws: KeyFileError.notEncrypted) { try file.open(passphrase: [1]) }
    }

    @Test func `shows the public part without a passphrase`() throws {
        let file = try KeyFile(parsing: Self.encrypted().bytes)
        #expect(file.publicKey == Self.key.publicKey)
        #expect(throws: KeyFileError.passphraseMissing) { try file.open(passphrase: nil) }
    }

    @Test func `does not write the seed into an encrypted file`() throws {
        let plain = KeyFile(plain: Self.key).bytes
        let seed = try #require(
            try JSON(parsing: plain, limit: KeyFile.byteLimit)["private"]?["seed"]?.string)
        let text = String(decoding: try Self.encrypted().bytes, as: UTF8.self)
        #expect(seed.utf8.count == 64)
        #expect(!text.contains(seed))
    }

    @Test(arguments: ["", "correct horse battery stapl", "Correct horse battery staple"])
    func `names a wrong passphrase as such`(text: String) throws {
        let file = try Self.encrypted()
        #expect(throws: KeyFileError.wrongPassphrase) {
            try file.open(passphrase: Array(text.utf8))
        }
    }

    @Test(arguments: ["secret", "salt", "nonce"])
    func `does not open when a byte of the encrypted part is changed`(field: String) throws {
        let file = try Self.encrypted()
        let json = try JSON(parsing: file.bytes, limit: KeyFile.byteLimit)
        let text = try #require(json["private"]?[field]?.string)
        var bytes = try #require(Hex.decode(text))
        bytes[bytes.count - 1] ^= 1
        let changed = try Self.changed(file, private: [field: .string(Hex.encode(bytes))])
        #expect(throws: KeyFileError.wrongPassphrase) {
            try KeyFile(parsing: changed).open(passphrase: Self.passphrase)
        }
    }

    @Test func `refuses a file whose public part is another key's`() throws {
        let other = TestKeys.key("other").publicKey
        let bytes = try Self.changed(
            Self.encrypted(),
            ["public": .string(other.hex), "keyid": .string(other.keyID.description)])
        let file = try KeyFile(parsing: bytes)
        #expect(
            throws: KeyFileError.publicKeyMismatch(expected: other, found: Self.key.publicKey)
        ) { try file.open(passphrase: Self.passphrase) }
    }

    @Test func `refuses a key id that is not the public key's`() throws {
        let other = TestKeys.key("other").publicKey.keyID
        let bytes = try Self.changed(Self.encrypted(), ["keyid": .string(other.description)])
        #expect(
            throws: KeyFileError.keyIDMismatch(expected: Self.key.publicKey.keyID, found: other)
        ) { try KeyFile(parsing: bytes) }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let field: String
        let value: JSON
        var isInner = true
        let expected: String
        let found: String
        var testDescription: String { "\(field): \(value)" }
    }

    static let faults = [
        Fault(
            field: "memory_bytes", value: 1_073_741_825, expected: "8192 to 1073741824",
            found: "1073741825"),
        Fault(field: "memory_bytes", value: 0, expected: "8192 to 1073741824", found: "0"),
        Fault(field: "passes", value: 17, expected: "1 to 16", found: "17"),
        Fault(field: "passes", value: 0, expected: "1 to 16", found: "0"),
        Fault(
            field: "salt", value: "00", expected: "32 lower-case hexadecimal digits",
            found: "other text of 2 bytes"),
        Fault(
            field: "secret", value: .string(String(repeating: "0", count: 98)),
            expected: "96 lower-case hexadecimal digits", found: "other text of 98 bytes"),
        Fault(
            field: "protection", value: "rot13",
            expected: "'plain', 'argon2id-secretbox' or 'external'",
            found: "'rot13'"),
        Fault(
            field: "hint", value: "x", expected: "a field of this schema", found: "an unknown one"),
        Fault(
            field: "schema", value: "fieldfare.key/2", isInner: false,
            expected: "'fieldfare.key/1'", found: "'fieldfare.key/2'"),
        Fault(
            field: "name", value: .string(String(repeating: "n", count: 65)), isInner: false,
            expected: "at most 64 bytes", found: "65"),
        Fault(
            field: "extra", value: 1, isInner: false, expected: "a field of this schema",
            found: "an unknown one"),
    ]

    @Test(arguments: faults)
    func `refuses a hostile or mistaken field`(fault: Fault) throws {
        let change: JSONObject = [fault.field: fault.value]
        let file = try Self.encrypted()
        let bytes =
            fault.isInner
            ? try Self.changed(file, private: change) : try Self.changed(file, change)
        let path = (fault.isInner ? "private." : "") + fault.field
        let error = FieldError(path: path, expected: fault.expected, found: fault.found)
        #expect(throws: KeyFileError.malformed(error)) { try KeyFile(parsing: bytes) }
    }

    @Test func `does not repeat a mistaken secret in its message`() throws {
        let seed = String(repeating: "ab", count: 31) + "zz"
        let bytes = try Self.changed(KeyFile(plain: Self.key), private: ["seed": .string(seed)])
        let error = #expect(throws: KeyFileError.self) { try KeyFile(parsing: bytes) }
        #expect(error?.description.contains("abab") == false)
    }

    @Test func `refuses bytes that are not JSON, or too many`() {
        #expect(throws: KeyFileError.notJSON(.unexpectedEnd(offset: 0))) {
            try KeyFile(parsing: [])
        }
        #expect(throws: KeyFileError.notJSON(.tooLong(limit: 4_096, found: 4_097))) {
            try KeyFile(parsing: [UInt8](repeating: 0x20, count: 4_097))
        }
    }

    @Test func `writes the same bytes from the same random numbers`() throws {
        #expect(try Self.encrypted().bytes == Self.encrypted().bytes)
        #expect(try Self.encrypted().bytes != Self.encrypted(seed: 2).bytes)
    }

    /// A file of today opens tomorrow: the page's example was made by PyNaCl, and stays as it is.
    @Test func `opens the example of the format's page`() throws {
        let page = try Page.read("docs/formats/key-file.md")
        let start = try #require(page.place(after: "```json\n"))
        let end = try #require(page.place(after: "\n```", from: start))
        let file = try KeyFile(parsing: Array(page[start..<(end - 4)]))
        #expect(file.name == "example")
        let key = try file.open(passphrase: Array("fieldfare".utf8))
        #expect(key.publicKey.hex == Ed25519Tests.vectors[0].key)
    }

    @Test(arguments: [
        (KeyFileError.passphraseMissing, "expected a passphrase"),
        (.heldElsewhere, "expected the private part in it, got an external key"),
        (.notEncrypted, "expected an encrypted key, got a plain one"),
        (.wrongPassphrase, "expected the passphrase it was encrypted with"),
        (.noMemory(bytes: 7), "expected 7 bytes of memory for argon2id"),
        (.notJSON(.unexpectedEnd(offset: 3)), "at byte 3"),
        (
            .malformed(FieldError(path: "a", expected: "b", found: "c")),
            "field 'a': expected b, got c"
        ),
    ])
    func `says what is wrong with a key file`(error: KeyFileError, text: String) {
        #expect(error.description.hasPrefix("key file: "))
        #expect(error.description.contains(text))
    }

    @Test func `takes only costs within its limits`() {
        #expect(PassphraseCost(passes: 1, memoryBytes: 8_192) == .least)
        #expect(PassphraseCost(passes: 3, memoryBytes: 268_435_456) == .standard)
        #expect(PassphraseCost(passes: 0, memoryBytes: 8_192) == nil)
        #expect(PassphraseCost(passes: 1, memoryBytes: 8_191) == nil)
        #expect(PassphraseCost(passes: 17, memoryBytes: 8_192) == nil)
        #expect(PassphraseCost(passes: 1, memoryBytes: 1 << 31) == nil)
    }

    @Test func `names the program of an external key, and opens nothing`() throws {
        let program = try #require(ExternalProgram(["/bin/signer", "slot 1"], timeoutSeconds: 5))
        let made = KeyFile(external: program, publicKey: Self.key.publicKey, name: "hsm")
        let file = try KeyFile(parsing: made.bytes)
        #expect(file == made)
        #expect(file.external == program)
        #expect(file.protection == "external" && !file.isEncrypted)
        #expect(throws: KeyFileError.heldElsewhere) { try file.open(passphrase: nil) }
        #expect(throws: KeyFileError.heldElsewhere) { try file.open(passphrase: [1]) }
        #expect(try Self.encrypted().external == nil)
        for (field, value) in [
            ("program", JSON.array([])), ("program", ["signer"]), ("program", [1]),
            ("program", ["/bin/x", .string(String(repeating: "x", count: 1_025))]),
            ("timeout_s", 0), ("timeout_s", 601), ("more", 1),
        ] {
            let bytes = try Self.changed(made, private: [field: value])
            #expect(throws: KeyFileError.self, "\(field): \(value)") {
                try KeyFile(parsing: bytes)
            }
        }
    }
}
