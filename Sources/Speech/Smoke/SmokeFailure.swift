/// Why a smoke test failed: the closed list that reports, journal and status use.
package enum SmokeFailureReason: Sendable, Hashable {
    case nullCreate
    case exit(Int32)
    /// By the signal's number on Linux; printed by its name.
    case signal(Int32)
    case timeout
    case badOutput
    case wordErrorRate
    case latency
    case memory
}

extension SmokeFailureReason: CustomStringConvertible {
    /// `null-create`, `exit:255`, `signal:ABRT`, `timeout`, `bad-output`, `wer`, `latency` or `memory`.
    package var description: String {
        switch self {
        case .nullCreate: "null-create"
        case .exit(let code): "exit:\(code)"
        case .signal(let number): "signal:\(Self.signalName(number))"
        case .timeout: "timeout"
        case .badOutput: "bad-output"
        case .wordErrorRate: "wer"
        case .latency: "latency"
        case .memory: "memory"
        }
    }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        switch text {
        case "null-create": self = .nullCreate
        case "timeout": self = .timeout
        case "bad-output": self = .badOutput
        case "wer": self = .wordErrorRate
        case "latency": self = .latency
        case "memory": self = .memory
        default:
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            if parts[0] == "exit", let code = Int32(parts[1]), "\(code)" == parts[1] {
                self = .exit(code)
            } else if parts[0] == "signal", let number = Self.signalNumber(String(parts[1])) {
                self = .signal(number)
            } else {
                return nil
            }
        }
    }

    /// Whether the device may be at fault alone: the smoke test's program ended before it looked at the model.
    package var isOfTheDevice: Bool {
        guard case .exit(let code) = self else { return false }
        return SmokeExit(rawValue: code)?.isPassing ?? false
    }

    /// Signal names by number, from 1, as x86_64 and aarch64 Linux have them (signal(7)).
    private static let signalNames = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]

    static let kill: Int32 = 9
    static let cpuLimit: Int32 = 24

    private static func signalName(_ number: Int32) -> String {
        let index = Int(number) - 1
        return signalNames.indices.contains(index) ? signalNames[index] : "\(number)"
    }

    private static func signalNumber(_ name: String) -> Int32? {
        if let index = signalNames.firstIndex(of: name) { return Int32(index + 1) }
        guard let number = Int32(name), (32...64).contains(number), "\(number)" == name else {
            return nil
        }
        return number
    }
}

/// A failed smoke test: why, and whether it is of the bundle or of the moment.
package struct SmokeFailure: Sendable, Hashable {
    package let reason: SmokeFailureReason
    /// True where the same bundle would fail again on this device (the version is then *rejected*);
    /// false for passing trouble (the attempt is then *failed*, and made once more when it is quiet).
    package let isLasting: Bool

    package init(reason: SmokeFailureReason, isLasting: Bool) {
        self.reason = reason
        self.isLasting = isLasting
    }
}
