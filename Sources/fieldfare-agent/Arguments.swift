import FieldfareAgent

/// What the command line asks for, read; the agent is small, and brings no parser of arguments.
struct Arguments {
    enum Command: String, CaseIterable {
        case run
        case once
        case doctor
        case enrol
        case status
        case explain
        case check
        case rollback
        case hold
        case unhold
        case config
    }

    var command: Command
    var configuration: String?
    var socket: String?
    var tokenFile: String?
    var isJSON = false

    /// Reads the words after the program's name.
    ///
    /// - Throws: `Usage`, with the sentence to print.
    init(_ words: [String]) throws(Usage) {
        var words = words[...]
        let first = words.popFirst() ?? ""
        guard let command = Command(rawValue: first) else {
            throw Usage("expected a command, got '\(first)'")
        }
        self.command = command
        if command == .config {
            let word = words.popFirst() ?? ""
            guard word == "check" else { throw Usage("config: expected 'check', got '\(word)'") }
        }
        while let word = words.popFirst() {
            switch word {
            case "--json" where command.answers: isJSON = true
            case "--config": configuration = try Self.path(word, &words)
            case "--socket" where command.isAsked: socket = try Self.path(word, &words)
            case "--token-file" where command == .enrol: tokenFile = try Self.value(word, &words)
            default: throw Usage("\(first): expected one of its options, got '\(word)'")
            }
        }
    }

    private static func value(
        _ option: String, _ words: inout ArraySlice<String>
    ) throws(Usage) -> String {
        guard let value = words.popFirst(), !value.isEmpty else {
            throw Usage("\(option): expected a value, got nothing")
        }
        return value
    }

    private static func path(
        _ option: String, _ words: inout ArraySlice<String>
    ) throws(Usage) -> String {
        let value = try value(option, &words)
        guard value.hasPrefix("/") else {
            throw Usage("\(option): expected an absolute path, got '\(value)'")
        }
        return value
    }

    static let help = """
        fieldfare-agent keeps one speech model on this device current, tested and watched.

        fieldfare-agent run               run until SIGTERM
        fieldfare-agent once              poll, do what follows at once, and end
        fieldfare-agent doctor            look at all that the agent needs, and change none of it
        fieldfare-agent enrol [--token-file FILE]
                                          make this device known to its registry
        fieldfare-agent status            what runs, what is under way, what failed
        fieldfare-agent explain           the last decision, rule by rule
        fieldfare-agent check             poll the registry now
        fieldfare-agent rollback          go back to the version before, and stay off this one
        fieldfare-agent hold | unhold     take no new version; end that
        fieldfare-agent config check      what would be used, and where each value comes from
        fieldfare-agent --version

        Options:
          --config FILE   instead of /etc/fieldfare/agent.json
          --socket PATH   of the running agent, instead of the configuration's
          --json          print the answer as one line of JSON

        Example: fieldfare-agent status --config /etc/fieldfare/agent.json

        Exit codes: 0 done, 1 failed, 2 usage or configuration, 10 refused, 11 busy, 12 unreachable,
        130 interrupted.

        """
}

extension Arguments.Command {
    /// Whether it prints an answer.
    var answers: Bool { self != .run && self != .once }

    /// Whether a running agent answers it.
    var isAsked: Bool {
        switch self {
        case .run, .once, .doctor, .enrol, .config: false
        case .status, .explain, .check, .rollback, .hold, .unhold: true
        }
    }
}

/// The command line is wrong.
struct Usage: Error {
    let message: String

    init(_ message: String) { self.message = message }
}
