/// The exit codes that `fieldfare-smoke` itself gives; the runtime may end the process with others.
package enum SmokeExit: Int32, Sendable, Hashable {
    /// It printed its one line.
    case done = 0
    /// Wrong arguments: a fault of the caller.
    case usage = 2
    /// The runtime's libraries cannot be opened, or are not of the version compiled for.
    case noRuntime = 3
    /// The suite or a WAV is refused for what it holds: a fault of the bundle.
    case badInput = 4
    /// The suite or a WAV cannot be read: a fault of the disk or of the caller.
    case unreadable = 5
    /// The line could not be written.
    case noOutput = 6

    /// Whether it says nothing against the bundle, so that another attempt may succeed.
    package var isPassing: Bool {
        switch self {
        case .usage, .noRuntime, .unreadable, .noOutput: true
        case .done, .badInput: false
        }
    }
}
