import FieldfareAgent
import Glibc
import Primitives

/// What goes to the two outputs.
enum Output {
    /// Prints, and returns the exit code: 1 where nobody takes it.
    static func print(_ text: String) -> Int32 { write(text, to: 1) ? 0 : 1 }

    /// Complains, with what can be done about it on a line of its own, and returns the exit code.
    static func fail(_ message: String, hint: String?, _ code: Int32) -> Int32 {
        let hint = hint.map { "hint: \($0)\n" } ?? ""
        _ = write("fieldfare-agent: \(message)\n\(hint)", to: 2)
        return code
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Prints what the doctor finds; the exit code is 1 where something is not good.
    static func examination(_ path: String, isJSON: Bool) -> Int32 {
        let findings = Agent.examination(path)
        let isGood = findings.allSatisfy(\.isGood)
        let text =
            isJSON
            ? JSON.object([
                "ok": .bool(isGood), "type": "doctor", "findings": .array(findings.map(\.json)),
            ]).text + "\n" : findings.map(\.text).joined()
        return max(print(text), isGood ? 0 : 1)
    }

    /// Prints what the configuration comes to, and whence each value has come.
    static func configuration(_ path: String, isJSON: Bool) throws(AgentError) -> Int32 {
        let report = try Agent.configurationReport(path)
        if isJSON { return print(report.text + "\n") }
        var text = ""
        for (key, entry) in (report["values"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let value = entry["value"].map { $0.string ?? $0.text } ?? ""
            text += "\(key) = \(value)    (\(entry["source"]?.string ?? ""))\n"
        }
        return print(text)
    }
}

/// Answers of the agent, for people.
enum AnswerText {
    static func of(_ command: Arguments.Command, _ answer: JSON) -> String {
        switch command {
        case .status: status(answer)
        case .explain: explanation(answer)
        case .check: "polling\n"
        default: "done\n"
        }
    }

    private static func status(_ answer: JSON) -> String {
        var lines = ["state      \(answer["state"]?.string ?? "")"]
        func slot(_ name: String, _ key: String) {
            guard let slot = answer[key], let version = slot["version"]?.string else { return }
            lines.append("\(name) \(version) in slot \(slot["slot"]?.string ?? "")")
        }
        slot("active    ", "active")
        slot("idle      ", "idle")
        if answer["cloud_only"] == true { lines.append("active     none: no usable model") }
        if let version = answer["serving"]?.string { lines.append("serving    \(version)") }
        if let attempt = answer["attempt"] {
            lines.append(
                "attempt    \(attempt["version"]?.string ?? "") "
                    + "(until \(attempt["deadline"]?.string ?? ""))")
        }
        if answer["held"] == true { lines.append("held       by order; 'unhold' ends it") }
        if answer["enrolled"] == false { lines.append("enrolled   no: reports wait") }
        for trial in answer["trials"]?.array ?? [] {
            let why = trial["rejected"]?.string ?? trial["trouble"]?.string ?? "under way"
            lines.append("tried      \(trial["version"]?.string ?? ""): \(why)")
        }
        let metadata = answer["metadata"]
        if let poll = metadata?["last_poll"]?.string { lines.append("polled     \(poll)") }
        if let missing = metadata?["missing"]?.string { lines.append("missing    \(missing)") }
        if let error = metadata?["poll_error"]?.string { lines.append("trouble    \(error)") }
        if let error = answer["journal_error"]?.string { lines.append("journal    \(error)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func explanation(_ answer: JSON) -> String {
        guard answer["decision"] != .null else {
            return "no decision yet: \(answer["reason"]?.string ?? "")\n"
        }
        var lines = (answer["lines"]?.array ?? []).compactMap(\.string)
        if let refusal = answer["local_refusal"]?.string { lines.append(refusal) }
        if let error = answer["poll_error"]?.string { lines.append("last poll: \(error)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
