import Cryptography

/// Compares the bytes of a target, as they come, with what its role says of it (TUF 1.0.34 section 5.7.2).
package struct TargetCheck: ~Copyable {
    private let file: TargetFile
    private var count: Int64 = 0
    private var sha256 = SHA256()
    private var sha512 = SHA512()

    package init(_ file: TargetFile) { self.file = file }

    /// Takes the next bytes, and refuses the first one too many.
    ///
    /// - Throws: `TUFError.wrongTargetLength`.
    package mutating func take(_ bytes: RawSpan) throws(TUFError) {
        count += Int64(bytes.byteCount)
        guard count <= file.length else { throw wrongLength }
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe sha256.update(buffer)
            if file.hashes.sha512 != nil { unsafe sha512.update(buffer) }
        }
    }

    /// Says whether all bytes have come, and are the ones listed; the value is used up.
    ///
    /// - Throws: `TUFError.wrongTargetLength` or `.wrongTargetDigest`.
    package consuming func finish() throws(TUFError) {
        guard count == file.length else { throw wrongLength }
        let file = file
        let found = sha256.finish()
        let foundToo = sha512.finish()
        let expected = file.hashes
        guard expected.sha256 == nil || expected.sha256 == found,
            expected.sha512 == nil || expected.sha512 == foundToo
        else {
            throw .wrongTargetDigest(file.role, file.path, expected: expected, found: found)
        }
    }

    private var wrongLength: TUFError {
        .wrongTargetLength(file.role, file.path, expected: file.length, found: count)
    }
}
