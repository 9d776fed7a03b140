import ArgumentParser
import Console
import HTTPAPI
import Logging
import PosixFiles
import Primitives
import RegistryCore

/// The command `fieldfare-registry mirror`.
struct MirrorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror",
        abstract:
            "Serves a folder with a repository's static files: tuf/, targets/, blobs/sha256/.",
        discussion: """
            For a site without a good line, or an air gap. It holds no key; devices verify all that it serves. Reports \
            still go to the registry itself.

            EXAMPLE
              fieldfare-registry mirror --directory copy --port 8443 \\
                  --tls-cert cert.pem --tls-key key.pem
            """)

    @Option(help: "The folder.")
    var directory: String

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for any free one.")
    var port = 0

    @Option(help: "The TLS certificate with its chain (PEM).")
    var tlsCert: String

    @Option(help: "The TLS key (PEM).")
    var tlsKey: String

    func run() async throws {
        if let problem = RegistrySettings.problem(port: port) { throw Failure(.usage, problem) }
        let folder = try Failure.catching("folder '\(directory)'") {
            try Directory(opening: directory)
        }
        let server = RegistryServer(
            router: MirrorRouter(files: MirrorFolder(folder: folder)).router(),
            listener: try await Listener.make(
                host: host, port: port, transport: .tls(certificate: tlsCert, key: tlsKey)),
            jobs: [], logger: Logger(label: "fieldfare-mirror"))
        try await server.serve()
    }
}

/// A mirror's files in a folder.
private struct MirrorFolder: MirrorReading {
    let folder: Directory

    func open(_ path: String) throws(RegistryError) -> (any BlobReading)? {
        guard let path = TargetPath(path) else { return nil }
        do {
            let file = try folder.open(path, .reading)
            return MirrorFile(file: file, length: try file.size())
        } catch {
            guard error.isNotFound else { throw .storage("\(error)") }
            return nil
        }
    }
}

private struct MirrorFile: BlobReading {
    let file: OpenFile
    let length: Int64

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(RegistryError) -> Int {
        do {
            let bytes = try file.read(offset..<min(offset + Int64(buffer.count), length))
            unsafe buffer.copyBytes(from: bytes)
            return bytes.count
        } catch {
            throw .storage("\(error)")
        }
    }
}
