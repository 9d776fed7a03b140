import GRDB
import RegistryDatabase
import TestSupport
import Testing

/// How SQLite would run the queries over all devices: where it takes a wrong index, a look at 100,000 devices takes half
/// a minute.
struct QueryPlanTests {
    private let folder = ScratchFolder("registry-plans")

    /// The steps of a query, in SQLite's words.
    private func steps(_ query: String, _ arguments: StatementArguments) throws -> [String] {
        let path = folder.path("registry.sqlite")
        _ = try SQLiteStore(path: path)
        return try DatabaseQueue(path: path).read { database in
            try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(query)", arguments: arguments)
                .map { $0["detail"] }
        }
    }

    @Test func `the treated sample goes by rank, and stops at its limit`() throws {
        let steps = try steps(EvidenceQueries.treated, ["m", "1.0.0", "main", 5])
        #expect(steps.first == "SEARCH facts USING INDEX facts_candidate (model=? AND candidate=?)")
        #expect(!steps.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN") })
    }

    @Test func `who was exposed is counted among a candidate's devices only`() throws {
        let steps = try steps(EvidenceQueries.exposure, ["m", "1.0.0", "main"])
        #expect(steps.first == "SEARCH facts USING INDEX facts_candidate (model=? AND candidate=?)")
        #expect(!steps.contains { $0.contains("SCAN") })
    }

    @Test func `the control sample goes by rank, and looks for newer figures of one device only`()
        throws
    {
        let steps = try steps(EvidenceQueries.control, ["m", "main", 1, 5])
        #expect(steps.first?.hasPrefix("SEARCH figures USING INDEX figures_window") == true)
        #expect(steps.contains { $0.hasPrefix("SEARCH newer") && $0.hasSuffix("(device=?)") })
        #expect(!steps.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN") })
    }

    @Test func `a report changes one row by its key`() throws {
        let figures = try steps(
            ReportQueries.change, [1, 1, 1, 1, nil, "", "d", "m", "1.0.0", 1, "main", "control"])
        #expect(
            figures == [
                "SEARCH figures USING INDEX sqlite_autoindex_figures_1 (device=? AND model=? AND version=? AND window=?)"
            ])
        let following = try steps(ReportQueries.follow, [1, 1, "d", "m", "main", 1, 1])
        #expect(following == ["SEARCH following USING PRIMARY KEY (device=? AND model=?)"])
    }

    @Test func `followers come in the order of an index`() throws {
        let steps = try steps(EvidenceQueries.followers, ["m", "main"])
        #expect(steps.first?.contains("INDEX following_channel (model=? AND channel=?)") == true)
        #expect(!steps.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN") })
    }

    @Test func `who never reported is found in one pass`() throws {
        let steps = try steps(EvidenceQueries.unheard, [])
        #expect(steps.filter { $0.contains("SCAN") } == ["SCAN device"])
        #expect(!steps.contains { $0.contains("TEMP B-TREE") })
    }
}
