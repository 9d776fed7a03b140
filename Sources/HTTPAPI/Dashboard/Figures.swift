import Primitives

/// How numbers of the API read on the page.
enum Figures {
    /// Thousandths as a ratio, rounded: `×1.34`; what nobody can tell apart any more is `over ×1,000`.
    static func ratio(_ thousandths: Int64) -> String {
        thousandths <= 1_000_000 ? "×" + hundredths((thousandths + 5) / 10) : "over ×1,000"
    }

    /// Thousandths as a share: `2.5%`.
    static func share(_ thousandths: Int64) -> String {
        thousandths % 10 == 0
            ? "\(thousandths / 10)%" : "\(thousandths / 10).\(abs(thousandths % 10))%"
    }

    /// Ten-thousandths as a share: `12.5%`.
    static func basisPoints(_ value: Int64) -> String {
        value % 100 == 0 ? "\(value / 100)%" : hundredths(value) + "%"
    }

    private static func hundredths(_ value: Int64) -> String {
        let rest = abs(value % 100)
        return "\(value / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// `1,234,567`.
    static func count(_ number: Int64) -> String {
        var digits = Array(String(abs(number)))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return (number < 0 ? "-" : "") + String(digits)
    }

    /// A span in its largest unit: `12 s`, `5 min`, `3 h`, `2 days`.
    static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(max(0, seconds)) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// A moment with its machine-readable form: `2026-11-23 21:04:05 UTC`.
    static func moment(_ time: UTCTime) -> HTML {
        let text = time.description
        return
            "<time datetime=\"\(text)\">\(String(text.prefix(10))) \(String(text.dropFirst(11).dropLast())) UTC</time>"
    }

    /// `latency_p95` as people say it.
    static func metric(_ name: String) -> String {
        names[name] ?? name.split(separator: "_").joined(separator: " ")
    }

    private static let names = [
        "latency_p95": "Latency, p95", "cpu_per_turn": "Processor time per turn",
        "memory_per_turn": "Peak memory", "wer_proxy": "Word error proxy", "errors": "Error rate",
        "false_positives": "False positives", "escalations": "Escalations",
        "abandonment": "Abandonment", "silent": "Silent after the swap",
        "jumped": "Much slower than before", "local_rollbacks": "Went back by themselves",
        "attempts_failed": "Failed attempts",
    ]
}
