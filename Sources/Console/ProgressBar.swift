/// A bar on standard error while something long goes on; on anything but a terminal it stays silent.
package final class ProgressBar {
    private let title: String
    private let total: Int64
    private let isShown: Bool
    private var shown = -1

    /// - Parameters:
    ///   - title: what goes on, at most some 30 characters.
    ///   - total: bytes, at least 1.
    ///   - isShown: false keeps it silent, as for JSON output.
    package init(_ title: String, total: Int64, isShown: Bool) {
        self.title = title
        self.total = max(total, 1)
        self.isShown = isShown && Output.hasTerminalForNotes
    }

    /// Shows how far it is, when that changes by a percent.
    package func show(_ done: Int64) {
        let percent = Int(min(done, total) * 100 / total)
        guard isShown, percent != shown else { return }
        shown = percent
        let filled = percent * 24 / 100
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
        let name = title.count > 32 ? "…" + title.suffix(31) : title[...]
        let padding = String(repeating: " ", count: 33 - name.count)
        Output.prompt("\r\(name)\(padding)[\(bar)] \(percent)%")
    }

    /// Ends the line.
    package func finish() {
        guard isShown else { return }
        show(total)
        Output.prompt("\n")
    }
}
