import Primitives

/// An Ed25519 key pair at rest, as `docs/formats/key-file.md` describes it.
///
/// The public part can be read by anyone who can read the file; the private part is encrypted with a
/// passphrase (argon2id and a secret box), plain for keys that an unattended service must load, or held by another
/// program, which the file names.
///
/// ```json
/// {"keyid":"…","name":"ci","private":{"nonce":"…","passes":3,"protection":"argon2id-secretbox",
///  "memory_bytes":268435456,"salt":"…","secret":"…"},"public":"…","schema":"fieldfare.key/1"}
/// ```
package struct KeyFile: Sendable, Hashable {
    package static let schema = "fieldfare.key/1"
    package static let byteLimit = 4_096
    package static let nameLimit = 64

    package let publicKey: Ed25519PublicKey
    /// What people call the key; nothing depends on it.
    package let name: String
    private let secret: Secret

    private enum Secret: Sendable, Hashable {
        case plain(seed: [UInt8])
        case encrypted(PassphraseBox)
        case external(ExternalProgram)
    }

    package var keyID: KeyID { publicKey.keyID }

    package var isEncrypted: Bool {
        switch secret {
        case .plain, .external: false
        case .encrypted: true
        }
    }

    /// The program that signs with the key; nil where the file has the private part.
    package var external: ExternalProgram? {
        if case .external(let program) = secret { program } else { nil }
    }

    /// The word for how the private part is kept.
    package var protection: String {
        switch secret {
        case .plain: "plain"
        case .encrypted: "argon2id-secretbox"
        case .external: "external"
        }
    }

    /// A file for a key that a program holds.
    package init(external program: ExternalProgram, publicKey: Ed25519PublicKey, name: String = "")
    {
        self.publicKey = publicKey
        self.name = name
        secret = .external(program)
    }

    /// A file for a key that an unattended service loads: whoever reads the file has the key.
    package init(plain key: Ed25519PrivateKey, name: String = "") {
        publicKey = key.publicKey
        self.name = name
        secret = .plain(seed: key.seed)
    }

    /// A file that only the passphrase opens; salt and nonce come from `random`.
    ///
    /// - Throws: `KeyFileError.noMemory`.
    package init(
        encrypting key: Ed25519PrivateKey, name: String = "", passphrase: [UInt8],
        cost: PassphraseCost = .standard, using random: inout some RandomNumberGenerator
    ) throws(KeyFileError) {
        publicKey = key.publicKey
        self.name = name
        secret = .encrypted(
            try PassphraseBox(
                closing: key.seed, passphrase: passphrase, cost: cost, using: &random))
    }

    /// The private key.
    ///
    /// - Parameter passphrase: nil for a plain file, and only for one.
    /// - Returns: the key, whose public part is the file's.
    /// - Throws: `KeyFileError`; `wrongPassphrase` where the box does not open.
    package func open(passphrase: [UInt8]?) throws(KeyFileError) -> Ed25519PrivateKey {
        let seed: [UInt8]
        switch (secret, passphrase) {
        case (.external, _): throw .heldElsewhere
        case (.plain(let plain), nil): seed = plain
        case (.plain, .some): throw .notEncrypted
        case (.encrypted, nil): throw .passphraseMissing
        case (.encrypted(let box), let passphrase?):
            guard let opened = try box.open(passphrase: passphrase) else { throw .wrongPassphrase }
            seed = opened
        }
        guard let key = Ed25519PrivateKey(seed: seed) else { throw .wrongPassphrase }
        guard key.publicKey == publicKey else {
            throw .publicKeyMismatch(expected: publicKey, found: key.publicKey)
        }
        return key
    }
}

// MARK: Bytes

extension KeyFile {
    /// Reads a key file of at most 4 KiB; the private part stays closed.
    package init(parsing bytes: [UInt8]) throws(KeyFileError) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: Self.byteLimit) } catch {
            throw .notJSON(error)
        }
        do { try self.init(reading: json) } catch { throw .malformed(error) }
        let found = json["keyid"]?.string.flatMap(KeyID.init)
        guard let found, found == keyID else {
            throw .keyIDMismatch(expected: keyID, found: found ?? keyID)
        }
    }

    private init(reading json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        _ = try fields.parse("schema", "'\(Self.schema)'") { $0 == Self.schema ? $0 : nil }
        _ = try fields.parse("keyid", KeyID.expected, KeyID.init)
        publicKey = try fields.parse("public", Ed25519PublicKey.expected) {
            Ed25519PublicKey(hex: $0)
        }
        name = try fields.optionalString("name", limit: Self.nameLimit) ?? ""
        secret = try Self.secret(from: fields.fields("private"))
        try fields.refuseUnknown()
    }

    private static func secret(from parent: Fields) throws(FieldError) -> Secret {
        var fields = parent
        let secret: Secret
        switch try fields.string("protection", limit: 64) {
        case "plain":
            secret = .plain(seed: try hex("seed", Ed25519PrivateKey.seedByteCount, in: &fields))
        case "argon2id-secretbox":
            secret = .encrypted(try box(from: &fields))
        case "external":
            secret = .external(try ExternalProgram(reading: &fields))
        case let other:
            throw FieldError(
                path: fields.path(of: "protection"),
                expected: "'plain', 'argon2id-secretbox' or 'external'",
                found: "'\(other)'")
        }
        try fields.refuseUnknown()
        return secret
    }

    private static func box(from fields: inout Fields) throws(FieldError) -> PassphraseBox {
        let passes = try fields.integer("passes", in: PassphraseCost.passesAllowed)
        let memory = try fields.integer("memory_bytes", in: PassphraseCost.memoryAllowed)
        guard let cost = PassphraseCost(passes: passes, memoryBytes: memory) else {
            preconditionFailure("the ranges were checked")
        }
        return PassphraseBox(
            cost: cost,
            salt: try hex("salt", PassphraseBox.saltByteCount, in: &fields),
            nonce: try hex("nonce", PassphraseBox.nonceByteCount, in: &fields),
            box: try hex(
                "secret", Ed25519PrivateKey.seedByteCount + PassphraseBox.overhead, in: &fields))
    }

    /// Reads hexadecimal digits; an error tells their number only, because they may be a secret.
    private static func hex(
        _ key: String, _ count: Int, in fields: inout Fields
    ) throws(FieldError) -> [UInt8] {
        let text = try fields.string(key, limit: 1_024)
        guard let bytes = Hex.decode(text), bytes.count == count else {
            throw FieldError(
                path: fields.path(of: key), expected: "\(2 * count) lower-case hexadecimal digits",
                found: "other text of \(text.utf8.count) bytes")
        }
        return bytes
    }

    /// The file's bytes; write them for their owner's eyes only (mode 0600).
    package var bytes: [UInt8] {
        JSON.object([
            "schema": .string(Self.schema), "keyid": .string(keyID.description),
            "public": .string(publicKey.hex), "name": .string(name), "private": privateJSON,
        ]).prettyBytes
    }

    private var privateJSON: JSON {
        switch secret {
        case .external(let program): .object(program.fields)
        case .plain(let seed): ["protection": "plain", "seed": .string(Hex.encode(seed))]
        case .encrypted(let box):
            [
                "protection": "argon2id-secretbox", "passes": .integer(box.cost.passes),
                "memory_bytes": .integer(box.cost.memoryBytes),
                "salt": .string(Hex.encode(box.salt)), "nonce": .string(Hex.encode(box.nonce)),
                "secret": .string(Hex.encode(box.box)),
            ]
        }
    }
}
