import ArgumentParser
import Console
import Primitives

/// The options that say what a registry runs with.
struct SettingsOptions: ParsableArguments {
    @Option(help: "The configuration file (JSON); flags win over it.")
    var config: String?

    @Option(help: "The data folder.")
    var data: String?

    @Option(help: "The folder with snapshot.key, timestamp.key and plans.key.")
    var keys: String?

    @Option(help: "The address to listen on.")
    var host: String?

    @Option(help: "The port to listen on; 0 for any free one.")
    var port: Int?

    @Option(help: "The TLS certificate with its chain (PEM).")
    var tlsCert: String?

    @Option(help: "The TLS key (PEM).")
    var tlsKey: String?

    @Flag(help: "Plain HTTP, on loopback only: for a proxy on the same machine.")
    var plain = false

    @Flag(help: "Show the dashboard without a token.")
    var openDashboard = false

    @Option(help: "Seconds between two looks of the controller.")
    var controllerInterval: Int64?

    /// Merges defaults, environment, file and flags.
    ///
    /// - Throws: `Failure` listing everything that does not fit.
    func settings() throws -> RegistrySettings {
        var settings = RegistrySettings(environment: Self.environment)
        if let config {
            try Failure.catching("configuration '\(config)'") {
                let bytes = try FileBytes.read(config, limit: RegistrySettings.byteLimit)
                try settings.take(file: bytes)
            }
        }
        settings.data = data ?? settings.data
        settings.keys = keys ?? settings.keys
        settings.host = host ?? settings.host
        settings.port = port ?? settings.port
        if let tlsCert, let tlsKey {
            settings.tls = RegistrySettings.TLSFiles(certificate: tlsCert, key: tlsKey)
        }
        settings.isPlain = plain || settings.isPlain
        settings.isDashboardOpen = openDashboard || settings.isDashboardOpen
        settings.controllerInterval = controllerInterval ?? settings.controllerInterval
        guard settings.problems.isEmpty else {
            throw Failure(
                .usage, settings.problems.joined(separator: "\nfieldfare-registry: "),
                hint: "see 'fieldfare-registry serve --help'")
        }
        return settings
    }

    private static var environment: [String: String] {
        var values: [String: String] = [:]
        for name in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"] {
            values[name] = Environment.value(name)
        }
        return values
    }
}
