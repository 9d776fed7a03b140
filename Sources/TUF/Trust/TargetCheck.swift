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
            if file.sha512 != nil { unsafe sha512.update(buffer) }
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
        guard found == file.sha256, file.sha512 == nil || file.sha512 == foundToo else {
            throw .wrongTargetDigest(
                file.role, file.path, expected: FileHashes(file.sha256, file.sha512), found: found)
        }
    }

    private var wrongLength: TUFError {
        .wrongTargetLength(file.role, file.path, expected: file.length, found: count)
    }
}
