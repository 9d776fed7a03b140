import Glibc

/// A ratio with its range, drawn against its limit, on a logarithmic scale.
///
/// The drawing repeats what stands beside it in words and figures.
struct RangeBar {
    /// In thousandths.
    let low: Int64
    let ratio: Int64
    let high: Int64
    let limit: Int64

    private static let width = 240.0
    private static let height = 26.0

    var html: HTML {
        let limitAt = place(limit)
        let from = place(low)
        let to = place(high)
        return """
            <svg class="bar" viewBox="0 0 240 26" role="img" aria-label="\(label)">\
            <rect class="beyond" x="\(text(limitAt))" y="2" width="\(text(Self.width - limitAt))" height="22"/>\
            <line class="axis" x1="0" x2="240" y1="13" y2="13"/>\
            <line class="even" x1="\(text(place(1_000)))" x2="\(text(place(1_000)))" y1="6" y2="20"/>\
            <line class="limit" x1="\(text(limitAt))" x2="\(text(limitAt))" y1="1" y2="25"/>\
            <rect class="range" x="\(text(from))" y="9" width="\(text(max(2, to - from)))" height="8" rx="2"/>\
            <rect class="estimate" x="\(text(place(ratio) - 2))" y="5" width="4" height="16" rx="1"/></svg>
            """
    }

    private var label: String {
        "estimate \(Figures.ratio(ratio)), range \(Figures.ratio(low)) to \(Figures.ratio(high)), "
            + "limit \(Figures.ratio(limit))"
    }

    /// From half to twice, and as much more as the limit needs; what lies outside is drawn at the edge.
    private func place(_ thousandths: Int64) -> Double {
        let reach = log(max(2, Double(limit) / 1_000 * 1.25))
        let value = log(Double(max(1, thousandths)) / 1_000)
        return min(1, max(0, (value + reach) / (2 * reach))) * Self.width
    }

    private func text(_ value: Double) -> String { coordinate(value) }
}

/// A share of devices, drawn against the share that can be excused, on a linear scale.
struct ShareBar {
    /// In thousandths.
    let share: Int64
    let excused: Int64

    var html: HTML {
        let end = max(100, min(1_000, 2 * max(share, excused)))
        let limit = coordinate(Double(min(excused, end)) / Double(end) * 240)
        let width = coordinate(max(3, Double(min(share, end)) / Double(end) * 240))
        let rest = coordinate(240 - Double(min(excused, end)) / Double(end) * 240)
        let label = "share \(Figures.share(share)), excused \(Figures.share(excused))"
        return """
            <svg class="bar" viewBox="0 0 240 26" role="img" aria-label="\(label)">\
            <rect class="beyond" x="\(limit)" y="2" width="\(rest)" height="22"/>\
            <line class="axis" x1="0" x2="240" y1="13" y2="13"/>\
            <line class="limit" x1="\(limit)" x2="\(limit)" y1="1" y2="25"/>\
            <rect class="estimate" x="0" y="9" width="\(width)" height="8" rx="1"/></svg>
            """
    }
}

/// A coordinate with one decimal.
private func coordinate(_ value: Double) -> String {
    let tenths = Int((max(0, value) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
