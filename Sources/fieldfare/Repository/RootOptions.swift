import ArgumentParser
import Console
import TUF

/// The root of trust of whoever verifies or signs.
struct RootOptions: ParsableArguments {
    @Option(help: "A root that you trust, of any version; otherwise FIELDFARE_ROOT.")
    var root: String?

    /// - Throws: `Failure` `usage` where none is named.
    func file() throws(Failure) -> TrustedRootFile {
        guard let path = root ?? Environment.value("FIELDFARE_ROOT") else {
            throw Failure(
                .usage, "root of trust: expected --root or FIELDFARE_ROOT, got neither",
                hint:
                    "a copy of root.json as the ceremony made it; what the registry says is verified from it"
            )
        }
        return try TrustedRootFile(path: path)
    }
}

/// The file of a root that its reader trusts.
struct TrustedRootFile {
    let path: String
    let bytes: [UInt8]

    init(path: String) throws(Failure) {
        self.path = path
        bytes = try FileBytes.read(path, limit: Limits.standard.root)
    }
}
