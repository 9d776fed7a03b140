import ArgumentParser
import BlobFiles
import Console
import HTTPAPI
import Logging
import PosixFiles
import Primitives
import RegistryCore
import RegistryDatabase

/// The command `fieldfare-registry serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the registry until it is asked to end.",
        discussion: """
            Prints one line of JSON when it listens: {"type":"listening","port":8421}. Logs go to standard error.

            EXAMPLE
              fieldfare-registry serve --data data --keys online-keys \\
                  --tls-cert cert.pem --tls-key key.pem
              fieldfare-registry serve --config /etc/fieldfare/registry.json
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await serve()
    }

    private func serve() async throws {
        let settings = try options.settings()
        // First all that can be wrong without a trace; then the data folder is opened, which makes it.
        let listener = try await Listener.make(
            host: settings.host, port: settings.port,
            transport: settings.tls.map { .tls(certificate: $0.certificate, key: $0.key) }
                ?? .plain)
        let parts = try RegistryParts(settings)
        let logger = Logger(label: "fieldfare-registry")
        let services = Services(
            store: parts.store, blobs: parts.blobs, keys: parts.keys,
            pulse: ControllerPulse(interval: settings.controllerInterval), now: SystemClock.now)
        let folder = parts.folder
        let metrics = RequestMetrics()
        let router = RegistryRouter(
            services: services, metrics: metrics,
            fleet: FleetMetrics(services: services) { try? folder.freeBytes() },
            isDashboardOpen: settings.isDashboardOpen
        ).router()
        let server = RegistryServer(
            router: router, polls: PollAnswers(services: services, metrics: metrics),
            listener: listener,
            jobs: Self.jobs(settings, parts, services, logger), logger: logger)
        try await server.serve()
    }

    private static func jobs(
        _ settings: RegistrySettings, _ parts: RegistryParts, _ services: Services,
        _ logger: Logger
    ) -> [PeriodicJob] {
        let controller = Controller(store: parts.store, blobs: parts.blobs, keys: parts.keys)
        let placebos = Placebos(store: parts.store)
        let retention = Retention(store: parts.store, blobs: parts.blobs)
        return [
            PeriodicJob(
                "controller", every: .seconds(settings.controllerInterval), logger: logger
            ) {
                let now = SystemClock.now()
                let report = try controller.tick(at: now)
                services.pulse.beat(at: now)
                for note in report.decisions {
                    logger.notice(
                        "rollout.decided",
                        metadata: [
                            "model": "\(note.model)", "channel": "\(note.channel)",
                            "decision": "\(note.kind)", "evidence": "\(note.evidence)",
                        ])
                }
                for failure in report.failures {
                    logger.error(
                        "rollout.failed",
                        metadata: ["model": "\(failure.model)", "error": "\(failure.error)"])
                }
            },
            PeriodicJob("resign", every: .seconds(settings.resignInterval), logger: logger) {
                for role in try services.roles.renew(at: SystemClock.now()) {
                    logger.info("metadata.signed", metadata: ["role": "\(role)"])
                }
            },
            PeriodicJob("placebo", every: .seconds(3_600), logger: logger) {
                var random = SystemRandomNumberGenerator()
                for trial in try placebos.run(at: SystemClock.now(), using: &random)
                where !trial.isTrusted {
                    logger.warning(
                        "placebo.fired",
                        metadata: [
                            "model": "\(trial.model)", "channel": "\(trial.channel)",
                            "cohort": "\(trial.cohort)", "fired": "\(trial.fired)",
                            "runs": "\(trial.runs)",
                        ])
                }
            },
            PeriodicJob("retention", every: .seconds(3_600), logger: logger) {
                _ = try retention.run(at: SystemClock.now())
            },
        ]
    }
}
