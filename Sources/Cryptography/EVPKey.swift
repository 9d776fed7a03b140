import CLibcrypto

/// A public key in libcrypto's hands, for the length of one use.
///
/// Nothing stays in libcrypto's queue of errors, which libcurl reads on the same thread.
@safe struct EVPKey: ~Copyable {
    enum Scheme {
        case ecdsa
        case rsassaPSS
    }

    private let key: OpaquePointer

    /// Nil unless all of the bytes are one DER SubjectPublicKeyInfo that libcrypto reads.
    init?(_ der: [UInt8]) {
        defer { ERR_clear_error() }
        let (key, used) = unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            let key = unsafe d2i_PUBKEY(nil, &next, buffer.count)
            return unsafe (key, next.map { unsafe $0 - (buffer.baseAddress ?? $0) } ?? 0)
        }
        guard let key = unsafe key else { return nil }
        guard used == der.count else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe self.key = key
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    static func isReadable(_ der: [UInt8]) -> Bool { EVPKey(der) != nil }

    var isRSA: Bool { unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA }

    /// Bits of the modulus or the curve's order.
    var bits: Int { Int(unsafe EVP_PKEY_get_bits(key)) }

    /// Whether an RSA key's exponent is odd and at least 3: with 1, anybody could sign.
    var hasSoundExponent: Bool {
        defer { ERR_clear_error() }
        var exponent: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, "e", &exponent) == 1 else { return false }
        defer { unsafe BN_free(exponent) }
        return unsafe BN_is_odd(exponent) == 1 && BN_num_bits(exponent) >= 2
    }

    /// The SubjectPublicKeyInfo as libcrypto writes it.
    var der: [UInt8]? {
        defer { ERR_clear_error() }
        let count = unsafe i2d_PUBKEY(key, nil)
        guard count > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let written = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe i2d_PUBKEY(key, &next)
        }
        return written == count ? bytes : nil
    }

    /// Whether the signature is the key's, over SHA-256 of the message.
    func verifies(_ signature: [UInt8], of message: [UInt8], by scheme: Scheme) -> Bool {
        defer { ERR_clear_error() }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &options, EVP_sha256(), nil, key) == 1 else {
            return false
        }
        if scheme == .rsassaPSS {
            // The mask's hash is the message's by default.
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(
            context, signature, signature.count, message, message.count) == 1
    }
}
