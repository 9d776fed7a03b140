/// Which engine catches which bad variant, and by what.
package struct VariantTable: Sendable {
    /// One variant under both engines.
    package struct Row: Sendable {
        package let variant: Variant
        /// What the kills were stopped by; nil where they went by unharmed.
        package let kills: String?
        /// What the power cuts were stopped by.
        package let cuts: String?
        package let runs: Int
    }

    package let rows: [Row]

    /// Runs each variant under both engines until the first failure, over every `stride`-th point.
    ///
    /// - Parameters:
    ///   - story: a fresh one.
    ///   - variants: which ones.
    ///   - onlyCatching: whether engines that are expected to find nothing are left out.
    ///   - stride: of the points.
    /// - Throws: `StoryError` where the story itself cannot be told.
    package init(
        _ story: Story, _ variants: [Variant] = Variant.allCases, onlyCatching: Bool = false,
        stride: Int
    ) throws {
        rows = try variants.map { variant in
            let caught = variant.isCaught
            var runs = 0
            func first(_ isWanted: Bool, _ run: () throws -> Tally) throws -> String? {
                guard isWanted || !onlyCatching else { return nil }
                let tally = try run()
                runs += tally.runs
                return tally.failures.first
            }
            let kills = try first(caught.byKills) {
                try Killing(first: stride, stride: stride).run(story, variant: variant, most: 1)
            }
            let cuts = try first(caught.byCuts) {
                try Cutting(first: 0, stride: stride).run(story, variant: variant, most: 1)
            }
            return Row(variant: variant, kills: kills, cuts: cuts, runs: runs)
        }
    }

    /// What is not as `Variant.isCaught` says.
    package func complaints(onlyCatching: Bool = false) -> [String] {
        var found: [String] = []
        for row in rows {
            let caught = row.variant.isCaught
            let engines = [
                ("kills", caught.byKills, row.kills), ("power cuts", caught.byCuts, row.cuts),
            ]
            for (engine, isExpected, complaint) in engines {
                if isExpected == (complaint != nil) || (onlyCatching && !isExpected) { continue }
                found.append(
                    "'\(row.variant.rawValue)': expected \(engine) to "
                        + "\(isExpected ? "catch" : "miss") it, got \(complaint ?? "nothing")")
            }
        }
        return found
    }
}

extension Variant {
    /// Which engines catch it: a kill loses no byte that was written, synced or not.
    package var isCaught: (byKills: Bool, byCuts: Bool) {
        switch self {
        case .copyInPlace, .linkRemoved, .journalAfterEffect: (true, true)
        case .noFolderSync, .noFileSync, .noLogSync, .sealFirst: (false, true)
        }
    }
}
