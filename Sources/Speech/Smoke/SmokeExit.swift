/// The exit codes that `fieldfare-smoke` itself gives; the runtime may end the process with others.
package enum SmokeExit: Int32, Sendable, Hashable {
    /// It printed its one line.
    case done = 0
    /// Wrong arguments: a fault of the caller.
    case usage = 2
    /// The runtime's libraries cannot be opened, or are not of the version compiled for.
    case noRuntime = 3
    /// The job, a WAV or another input of the bundle cannot be read or is refused.
    case badInput = 4
    /// The line could not be written.
    case noOutput = 5

    /// Whether it says nothing against the bundle, so that another attempt may succeed.
    package var isPassing: Bool {
        switch self {
        case .usage, .noRuntime, .noOutput: true
        case .done, .badInput: false
        }
    }
}
