/// A table with a caption, whose rows become cards on a narrow screen.
///
/// The roles are spelled out because cards are laid out as blocks, and a browser then forgets that they
/// were a table.
struct PageTable {
    struct Column {
        let name: String
        var isNumber = false
    }

    let caption: String
    let columns: [Column]
    /// The cells of each row, as many as there are columns; the first one names the row.
    var rows: [[HTML]] = []
    /// What stands there while there are no rows.
    let empty: String
    /// Whether all cells are short, so that a card shows several in a line.
    let isCompact: Bool

    init(_ caption: String, _ columns: [Column], empty: String, isCompact: Bool = false) {
        self.caption = caption
        self.columns = columns
        self.empty = empty
        self.isCompact = isCompact
    }

    var html: HTML {
        guard !rows.isEmpty else { return "<p class=\"empty\">\(empty)</p>" }
        let heads = columns.map { column -> HTML in
            "<th role=\"columnheader\" scope=\"col\"\(Self.style(column))>\(column.name)</th>"
        }
        let lines = rows.map { cells -> HTML in
            let cells = zip(columns, cells).enumerated().map { index, pair -> HTML in
                let (column, cell) = pair
                let style = Self.style(column)
                return index == 0
                    ? "<th role=\"rowheader\" scope=\"row\" data-label=\"\(column.name)\"\(style)><div>\(cell)</div></th>"
                    : "<td role=\"cell\" data-label=\"\(column.name)\"\(style)><div>\(cell)</div></td>"
            }
            return "<tr role=\"row\">\(cells)</tr>\n"
        }
        return """
            <table role="table" class="\(isCompact ? "compact" : "wide")"><caption>\(caption)</caption>
            <thead role="rowgroup"><tr role="row">\(heads)</tr></thead>
            <tbody role="rowgroup">\(lines)</tbody></table>

            """
    }

    private static func style(_ column: Column) -> HTML {
        column.isNumber ? " class=\"number\"" : ""
    }
}

extension PageTable.Column: ExpressibleByStringLiteral {
    init(stringLiteral name: String) { self.init(name: name) }

    static func number(_ name: String) -> Self { Self(name: name, isNumber: true) }
}
