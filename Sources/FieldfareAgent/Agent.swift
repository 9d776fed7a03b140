import AgentCore
import PosixFiles
package import Primitives

/// The agent of one device: polls a registry, and keeps one model current, tested and watched.
///
///     let agent = try Agent(configuration: "/etc/fieldfare/agent.json")
///     try agent.run()
///
/// Applications reach it over the local socket (docs/protocol.md). An agent runs once: make another one for another run.
public final class Agent: Sendable {
    package let settings: AgentSettings
    private let bell: WakePipe

    /// Reads a configuration file and its drop-ins (docs/agent.md); touches nothing else.
    ///
    /// - Parameter path: the absolute path of the main file.
    /// - Throws: `AgentError` with code `configuration`.
    public convenience init(configuration path: String) throws(AgentError) {
        let settings: AgentSettings
        do { settings = try AgentSettings(MergedConfiguration.reading(path)) } catch {
            throw AgentError(.configuration, error.description)
        }
        try self.init(settings)
    }

    package init(_ settings: AgentSettings) throws(AgentError) {
        self.settings = settings
        bell = try WakePipe()
    }

    /// Runs on the calling thread until `stop` is called.
    ///
    /// - Throws: `AgentError` with `configuration`, `busy`, `storage`, `key` or `trust`, before anything has begun. What
    ///   goes wrong later is logged, reported and tried again.
    public func run() throws(AgentError) {
        try run(registry: settings.registryClient)
    }

    /// As `run`, in a process that does nothing else: its memory and code are let go of before a long rest, which an
    /// application around an agent would pay for.
    package func runAlone() throws(AgentError) {
        try AgentLoop(settings, registry: settings.registryClient, isAlone: true).run(until: bell)
    }

    func run(registry: () -> RegistryClient) throws(AgentError) {
        try AgentLoop(settings, registry: registry).run(until: bell)
    }

    /// Polls once, does at once what follows from that, and returns when nothing is left to do now; for devices that are
    /// seldom awake, and for a device's maker.
    ///
    /// A download is fetched, tested and switched to. What takes time by its nature is left to the next run: a probation,
    /// a plan that gives no leave yet, a failed download that is to be tried again later.
    ///
    /// - Throws: as `run`, and `unreachable`, `refused`, `storage` or `busy` where the poll, a download or the reports
    ///   met with that; `smoke_test` where a bundle could not be tested; `interrupted` after `stop`. What was done
    ///   before stays.
    public func runOnce() throws(AgentError) {
        try runOnce(registry: settings.registryClient)
    }

    func runOnce(registry: () -> RegistryClient) throws(AgentError) {
        try AgentLoop(settings, registry: registry).runOnce(until: bell)
    }

    /// Makes `run` or `runOnce` end within a second or so; from any thread, and from a signal handler.
    public func stop() { bell.ring() }

    /// Makes the device known to its registry, with a one-time token; again and again if need be.
    ///
    /// - Parameter token: what `fieldfare devices enrol-tokens` printed.
    /// - Returns: the device's id: 32 hexadecimal digits.
    /// - Throws: `AgentError` with `configuration`, `unreachable`, `refused`, `storage` or `key`.
    public func enrol(token: String) throws(AgentError) -> String {
        guard let token = EnrolmentToken(token) else { throw .noToken("enrolment token") }
        return try enrol(token)
    }

    private func enrol(_ token: EnrolmentToken) throws(AgentError) -> String {
        try StartingCheck(settings: settings).authorities()
        let enrolment = Enrolment(
            settings: settings, state: try StateDirectory(settings.stateDirectory),
            reporting: settings.registryClient())
        return try enrolment.enrol(token, until: Interrupt()).description
    }

    /// As `enrol(token:)`, with the token of a file: the one given, or else the configuration's.
    package func enrol(tokenFile: String?) throws(AgentError) -> String {
        guard let file = tokenFile ?? settings.enrolmentTokenFile else {
            throw AgentError(
                .configuration,
                "enrol: expected --token-file or 'enrolment_token_file', got neither",
                hint: EnrolmentToken.source)
        }
        return try enrol(EnrolmentToken(file: file))
    }

    /// Looks at all that an agent needs on this device, and changes none of it.
    ///
    /// - Parameter path: the absolute path of the configuration's main file.
    /// - Returns: what was found, in the order in which an agent would meet with it.
    package static func examination(_ path: String) -> [Finding] {
        let name = "configuration"
        let expected = "a configuration that can be used"
        let settings: AgentSettings
        do { settings = try AgentSettings(MergedConfiguration.reading(path)) } catch {
            let hint = "fieldfare-agent config check --config \(path)"
            return [.bad(name, expected, error.description, hint: hint)]
        }
        let doctor = Doctor(
            settings: settings, registry: settings.registryClient(), now: SystemClock.now())
        return [.good(name, expected, path)] + doctor.findings()
    }

    /// What a configuration file and its drop-ins come to: each value with its source, and whether that can be used.
    package static func configurationReport(_ path: String) throws(AgentError) -> JSON {
        let merged: MergedConfiguration
        do {
            merged = try MergedConfiguration.reading(path)
            _ = try AgentSettings(merged)
        } catch { throw AgentError(.configuration, error.description) }
        var values: JSONObject = [:]
        for (key, value) in merged.values.fields {
            values[key] = ["value": value, "source": .string(merged.sources[key] ?? "")]
        }
        return ["ok": true, "type": "configuration", "values": .object(values)]
    }

    /// The version of the agent.
    public static var version: String { AgentVersion.current.description }
}
