import Glibc

/// A server's other face: TLS 1.2 or newer on a free port of 127.0.0.1, and behind it a plain one; ended with the object.
///
/// A connection to it is one to the server behind, of the same length.
package final class TLSFront {
    package let port: UInt16
    /// The certificate that it shows, which is its own authority.
    package let authorities: String
    private let program: RunningProgram

    /// Asyncio's TLS works in memory, so that both directions of a connection may be at work at once.
    private static let script = """
        import asyncio, ssl, sys

        async def pump(source, sink):
            try:
                while piece := await source.read(1 << 16):
                    sink.write(piece)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()

        async def serve(reader, writer):
            behind = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
            await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))

        async def main():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()

        asyncio.run(main())
        """

    /// Starts it, and waits until it listens.
    ///
    /// - Parameters:
    ///   - server: what answers.
    ///   - folder: for the certificate, its key and what the front prints.
    /// - Throws: `ChildError` where it does not start.
    package init(before server: LoopbackServer, in folder: ScratchFolder) throws {
        try TestCertificate.make("front", names: "IP:127.0.0.1", in: folder)
        authorities = folder.path("front.pem")
        program = try RunningProgram(
            [
                "/usr/bin/python3", "-c", Self.script, "\(server.port)", authorities,
                folder.path("front.key"),
            ], outputs: folder.path("front"))
        port = try Self.port(printedTo: folder.path("front.out"), by: program)
    }

    /// The number that the program prints once it listens.
    private static func port(
        printedTo path: String, by program: RunningProgram
    ) throws -> UInt16 {
        while program.exitCode == nil {
            if let port = UInt16(firstLine(of: path)) { return port }
            usleep(10_000)
        }
        throw ChildError(call: "python3", number: program.exitCode ?? 0)
    }

    /// The first line of a file, without its end; nothing while that has not come.
    private static func firstLine(of path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(file, &buffer, buffer.count)
        guard let end = buffer.prefix(max(0, count)).firstIndex(of: 0x0A) else { return "" }
        return String(decoding: buffer[..<end], as: UTF8.self)
    }

    package var url: String { "https://127.0.0.1:\(port)" }
}
