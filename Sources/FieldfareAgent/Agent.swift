import AgentCore
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
        try AgentLoop(settings).run(until: bell)
    }

    /// Makes `run` end within a second or so; from any thread, and from a signal handler.
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
