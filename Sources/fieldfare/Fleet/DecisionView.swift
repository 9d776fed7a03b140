import Primitives

/// A decision for people: what the device is to run, then each rule, its inputs, its outcome.
struct DecisionView {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    var lines: [String] {
        var lines = [summary]
        if let stage = json["preview"]?["stage"]?.string,
            let at = json["preview"]?["at"]?.integer
        {
            lines.append("once stage '\(stage)' has begun, on \(UTCTime(clamping: at)) or later")
        }
        if let place { lines.append(place) }
        for step in json["trace"]?.array ?? [] { lines.append("  " + Self.line(step)) }
        if let heard = json["heard_age_s"]?.integer {
            lines.append("the device was heard \(heard) s ago")
        }
        let assumed = json["assumed"]?.array?.compactMap(\.string) ?? []
        if !assumed.isEmpty {
            lines.append("taken for granted: \(assumed.joined(separator: ", "))")
        }
        return lines
    }

    private var summary: String {
        let version = json["bundle"]?["version"]?.string.map { " to \($0)" } ?? ""
        let role = json["role"]?.string.map { " (\($0))" } ?? ""
        let end = json["waits_until"]?.integer.map { ", until \(UTCTime(clamping: $0))" } ?? ""
        let word = json["action"]?.string ?? "?"
        switch word {
        case "stay": return "stay\(end)"
        case "stranded":
            return "stranded: what runs is withdrawn, and there is nothing to go back to"
        default: return word + version + role
        }
    }

    private var place: String? {
        guard let bucket = json["bucket"]?.integer else { return nil }
        let stage = json["stage"]?.integer.map { ", stage \($0 + 1)" } ?? ""
        let pinned = json["pinned"]?.bool == true ? ", pinned" : ""
        return "bucket \(bucket), arm \(json["arm"]?.string ?? "?")\(stage)\(pinned)"
    }

    private static func line(_ step: JSON) -> String {
        let subject = [step["role"]?.string, step["version"]?.string].compactMap(\.self)
        let inputs = (step["inputs"]?.object ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.string ?? "?")" }
        let end = step["until"]?.integer.map { " (until \(UTCTime(clamping: $0)))" } ?? ""
        return (step["refused"]?.bool == true ? "REFUSED " : "ok      ")
            + (step["rule"]?.string ?? "?")
            + (subject.isEmpty ? "" : " [\(subject.joined(separator: " "))]")
            + (inputs.isEmpty ? "" : ": \(inputs.joined(separator: ", "))") + end
    }
}
