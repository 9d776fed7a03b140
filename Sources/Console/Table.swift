/// Rows in aligned columns, for people; two spaces between columns.
package struct Table: Sendable {
    private var rows: [[String]] = []

    /// - Parameter head: the names of the columns.
    package init(_ head: [String]) { rows.append(head.map { $0.uppercased() }) }

    package mutating func add(_ cells: [String]) { rows.append(cells) }

    package var isEmpty: Bool { rows.count == 1 }

    /// The lines, without trailing spaces.
    package var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1
                    ? cell
                    : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return cells.joined(separator: "  ")
        }
    }
}
