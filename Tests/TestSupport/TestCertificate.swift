import Speech

/// Keys and certificates of a test's own, made by `openssl`.
package enum TestCertificate {
    /// Makes `<name>.key` and `<name>.pem`: self-signed, or signed by an authority made before.
    ///
    /// - Parameters:
    ///   - name: the subject's, and the files'.
    ///   - names: what it is good for, such as `DNS:localhost,IP:127.0.0.1`; nil for nothing.
    ///   - authority: the name of a certificate in the same folder; nil for none but itself.
    ///   - folder: where the files are, and come to be.
    /// - Throws: `ChildError` where openssl cannot.
    package static func make(
        _ name: String, names: String? = nil, signedBy authority: String? = nil,
        in folder: ScratchFolder
    ) throws {
        var words = [
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
            "-keyout", folder.path(name + ".key"), "-out", folder.path(name + ".pem"),
        ]
        if let names { words += ["-addext", "subjectAltName=" + names] }
        if let authority {
            words += ["-CA", folder.path(authority + ".pem")]
            words += ["-CAkey", folder.path(authority + ".key")]
            words += ["-addext", "basicConstraints=critical,CA:FALSE"]
        }
        guard try ChildProcess(words).ending == .exited(0) else {
            throw ChildError(call: words.joined(separator: " "), number: 0)
        }
    }
}
