package import ArgumentParser
package import Console

/// Where the registry is, and with which token it is spoken to.
package struct ServerOptions: ParsableArguments {
    @Option(help: "The registry's base URL; otherwise FIELDFARE_SERVER.")
    package var server: String?

    @Option(
        help: "A PEM file with the authority to trust; otherwise FIELDFARE_CA, or the system's.")
    package var ca: String?

    @Option(help: "A file with the token; otherwise FIELDFARE_TOKEN.")
    package var tokenFile: String?

    package init() {}

    /// - Throws: `Failure` `usage` where no server is named.
    package func api() throws(Failure) -> RegistryAPI { RegistryAPI(try address()) }

    /// - Throws: `Failure` `usage` where no server is named.
    package func address() throws(Failure) -> RegistryAddress {
        guard let url = server ?? Environment.value("FIELDFARE_SERVER") else {
            throw Failure(
                .usage, "registry: expected --server or FIELDFARE_SERVER, got neither")
        }
        guard let base = RegistryAddress.base(of: url) else {
            let name = server == nil ? "FIELDFARE_SERVER" : "--server"
            throw Failure(
                .usage,
                "\(name): expected an https URL such as https://registry.example, got '\(url)'")
        }
        var token = Environment.value("FIELDFARE_TOKEN")
        if let tokenFile {
            let bytes = try FileBytes.read(tokenFile, limit: 1_024)
            token = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
        }
        let authorities = ca ?? Environment.value("FIELDFARE_CA")
        // Before anybody is asked: a file that is not there is not the network's fault.
        if let authorities { _ = try FileBytes.read(authorities, limit: 4 << 20) }
        return RegistryAddress(base: base, token: token, authorities: authorities)
    }
}
