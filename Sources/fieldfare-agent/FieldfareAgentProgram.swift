import FieldfareAgent
import Glibc
import PosixFiles
import Primitives
import SlotHost

/// The program: reads its arguments, does one thing, and ends with a code that says how it went.
///
/// Top-level code and `@main` run on the main actor, which would link Swift's concurrency runtime and libdispatch for
/// nothing else: half a megabyte on a device. This is the C entry point that SwiftPM gives a module of this name.
@c(fieldfare_agent_main)
public func start(_ count: Int32, _ words: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
    FieldfareAgentProgram.main(Array(CommandLine.arguments.dropFirst()))
}

enum FieldfareAgentProgram {
    /// What `stop` is called on by the signal handlers; set once, before they are installed.
    nonisolated(unsafe) private static var running: Agent?

    static func main(_ words: [String]) -> Int32 {
        if words.contains("--help") || words.contains("-h") || words == ["help"] {
            return Output.print(Arguments.help)
        }
        if words == ["--version"] { return Output.print("fieldfare-agent \(Agent.version)\n") }
        let arguments: Arguments
        do { arguments = try Arguments(words) } catch {
            return Output.fail(error.message, hint: "fieldfare-agent --help", 2)
        }
        do throws(AgentError) {
            return try perform(arguments)
        } catch {
            return Output.fail(error.message, hint: error.hint, error.code.exitCode)
        }
    }

    private static func perform(_ arguments: Arguments) throws(AgentError) -> Int32 {
        let path = arguments.configuration ?? MergedConfiguration.defaultPath
        switch arguments.command {
        case .run:
            return try run(Agent(configuration: path)) { agent throws(AgentError) in
                try agent.runAlone()
            }
        case .once:
            return try run(Agent(configuration: path)) { agent throws(AgentError) in
                try agent.runOnce()
            }
        case .doctor: return Output.examination(path, isJSON: arguments.isJSON)
        case .enrol: return try enrol(Agent(configuration: path), arguments)
        case .config: return try Output.configuration(path, isJSON: arguments.isJSON)
        case .status, .explain, .check, .rollback, .hold, .unhold:
            if let socket = arguments.socket { return ask(arguments, at: socket) }
            return ask(arguments, at: try Agent(configuration: path).settings.socket)
        }
    }

    /// Runs an agent, which the signals to end then stop.
    private static func run(
        _ agent: Agent, _ work: (Agent) throws(AgentError) -> Void
    ) throws(AgentError) -> Int32 {
        unsafe running = agent
        var stopping = sigset_t()
        unsafe sigemptyset(&stopping)
        for number in [SIGTERM, SIGINT] {
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = { _ in
                unsafe FieldfareAgentProgram.running?.stop()
            }
            unsafe sigaction(number, &action, nil)
            unsafe sigaddset(&stopping, number)
        }
        // Whoever started the agent may have blocked them, and a program inherits that.
        unsafe pthread_sigmask(SIG_UNBLOCK, &stopping, nil)
        try work(agent)
        return 0
    }

    private static func enrol(
        _ agent: Agent, _ arguments: Arguments
    ) throws(AgentError) -> Int32 {
        let device = try agent.enrol(tokenFile: arguments.tokenFile)
        return Output.print(
            arguments.isJSON
                ? "{\"device\":\"\(device)\",\"ok\":true,\"type\":\"enrolled\"}\n"
                : "enrolled as device \(device)\n")
    }

    /// Asks the running agent one thing.
    private static func ask(_ arguments: Arguments, at socket: String) -> Int32 {
        let answer: JSON
        do {
            answer = try AgentClient(connecting: socket)
                .request(["op": .string(arguments.command.rawValue)])
        } catch {
            if arguments.isJSON, case .refused(let code, let detail) = error {
                _ = Output.print(
                    JSON.object(["ok": false, "code": .string(code), "detail": .string(detail)])
                        .text + "\n")
            }
            return Output.fail(error.description, hint: error.hint, error.exitCode)
        }
        if arguments.isJSON { return Output.print(answer.text + "\n") }
        return Output.print(AnswerText.of(arguments.command, answer))
    }
}

extension AgentError.Code {
    var exitCode: Int32 {
        switch self {
        case .configuration: 2
        case .refused, .forbidden, .cloudOnly: 10
        case .busy: 11
        case .unreachable: 12
        case .interrupted: 130
        default: 1
        }
    }
}

extension AgentClientError {
    var exitCode: Int32 {
        switch self {
        case .unreachable, .lost, .timedOut: 12
        case .malformed: 1
        case .refused(let code, _): AgentError.Code(rawValue: code).exitCode
        }
    }
}
