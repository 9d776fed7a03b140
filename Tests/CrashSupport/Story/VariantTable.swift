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

    /// Runs each variant under both engines until the first failure: one that is expected to catch it over all points from
    /// its weak one on, one that is expected to find nothing over every `stride`-th.
    ///
    /// - Parameters:
    ///   - story: a fresh one.
    ///   - variants: which ones.
    ///   - onlyCatching: whether engines that are expected to find nothing are left out.
    ///   - first: the first point of an engine that is expected to find nothing.
    ///   - stride: of the points after it.
    ///   - heard: hears of each row as soon as it is known.
    /// - Throws: `StoryError` where the story itself cannot be told.
    package init(
        _ story: Story, _ variants: [Variant] = Variant.allCases, onlyCatching: Bool = false,
        first: Int, stride: Int, heard: (Row) -> Void = { _ in }
    ) throws {
        rows = try variants.map { variant in
            let expected = variant.isCaught
            let weakPoint = try variant.weakPoint(in: story)
            var runs = 0
            func caught(
                _ isWanted: Bool, _ run: (_ first: Int, _ stride: Int) throws -> Tally
            ) throws -> String? {
                guard isWanted || !onlyCatching else { return nil }
                let tally = try isWanted ? run(weakPoint, 1) : run(first, stride)
                runs += tally.runs
                return tally.failures.first
            }
            let kills = try caught(expected.byKills) { first, stride in
                try Killing(first: first, stride: stride).run(story, variant: variant, most: 1)
            }
            let cuts = try caught(expected.byCuts) { first, stride in
                try Cutting(first: first, stride: stride).run(story, variant: variant, most: 1)
            }
            let row = Row(variant: variant, kills: kills, cuts: cuts, runs: runs)
            heard(row)
            return row
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
    /// The first call of its kind that is wrong, or that shows soon what was: points count from 1.
    fileprivate func weakPoint(in story: Story) throws -> Int {
        let (name, count) =
            switch self {
            case .copyInPlace: ("rename state/slots/a/model.onnx", 1)
            case .linkRemoved: ("unlink state/slots/current", 1)
            // The third is the way back.
            case .journalAfterEffect: ("rename state/slots/current", 3)
            case .noFolderSync, .noLogSync: ("rename state/slots/current", 1)
            case .noFileSync: ("rename state/slots/a/manifest.json", 1)
            case .sealFirst: ("write state/slots/a/utterances/a.wav", 1)
            }
        let found = try Points.names(story, variant: self).enumerated().filter {
            $0.element == name
        }
        guard found.count >= count else {
            throw StoryError("'\(rawValue)': expected \(count) calls '\(name)', got \(found.count)")
        }
        return found[count - 1].offset + 1
    }

    /// Which engines catch it: a kill loses no byte that was written, synced or not.
    package var isCaught: (byKills: Bool, byCuts: Bool) {
        switch self {
        case .copyInPlace, .linkRemoved, .journalAfterEffect: (true, true)
        case .noFolderSync, .noFileSync, .noLogSync, .sealFirst: (false, true)
        }
    }
}
