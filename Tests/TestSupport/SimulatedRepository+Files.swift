import Glibc
import Primitives
import TUF

extension SimulatedRepository {
    /// Writes the repository as static files: metadata below `tuf/`, targets below `targets/`.
    ///
    /// For other programs to read, and for people when a test fails.
    package func dump(to folder: String) {
        for (name, bytes) in files { Self.write(bytes, below: folder, ["tuf", "\(name)"]) }
        for (path, bytes) in targetFiles {
            Self.write(bytes, below: folder, ["targets"] + path.parts)
        }
    }

    private static func write(_ bytes: [UInt8], below folder: String, _ parts: [String]) {
        var path = folder
        _ = unsafe mkdir(path, 0o755)
        for part in parts.dropLast() {
            path += "/" + part
            _ = unsafe mkdir(path, 0o755)
        }
        guard let file = unsafe fopen(path + "/" + parts[parts.count - 1], "w") else {
            preconditionFailure("cannot write below \(path)")
        }
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        let closed = unsafe fclose(file)
        precondition(written == bytes.count && closed == 0, "cannot write below \(path)")
    }
}
