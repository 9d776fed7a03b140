import AgentCore
import PosixFiles
import Primitives
import TUF

/// What must be there before the agent makes anything: a wrong setting leaves nothing behind.
struct StartingCheck {
    /// Bytes of a file of authorities; the largest that systems ship have some hundred thousand.
    static let authoritiesLimit = 16 << 20

    let settings: AgentSettings

    /// Refuses a file of authorities that libcurl could not use.
    ///
    /// - Throws: `AgentError` with `configuration`. Whether the certificates in it are any good is seen when it is used.
    func authorities() throws(AgentError) {
        guard let file = settings.authorities else { return }
        let hint =
            "name a file that the agent's user can read; without 'ca_file' the system's "
            + "authorities count"
        let bytes: [UInt8]
        do { bytes = try ConfiguredFile.read(file, limit: Self.authoritiesLimit) } catch {
            throw AgentError(
                .configuration, "configuration: field 'ca_file': \(error)", hint: hint)
        }
        guard Self.hasCertificate(bytes) else {
            throw AgentError(
                .configuration,
                "configuration: field 'ca_file': expected PEM certificates, got none in '\(file)'",
                hint: hint)
        }
    }

    private static func hasCertificate(_ bytes: [UInt8]) -> Bool {
        let beginnings = ["", "TRUSTED ", "X509 "].map { "-----BEGIN \($0)CERTIFICATE-----" }
        return bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).contains { line in
            beginnings.contains { line.starts(with: $0.utf8) }
        }
    }

    /// Refuses a file that is no root of trust, where the device does not hold one yet.
    ///
    /// - Throws: `AgentError` with `trust`.
    func root(at now: UTCTime) throws(AgentError) {
        if StateDirectory.holdsRoot(settings.stateDirectory) { return }
        _ = try TrustedRootFile(path: settings.trustedRoot).read(at: now)
    }
}
