import Primitives
import Testing

struct SemanticVersionTests {
    /// SemVer 2.0.0 section 11's own example, and more, lowest first.
    static let order = [
        "0.0.1", "0.1.0", "1.0.0-0", "1.0.0-2", "1.0.0-11", "1.0.0--", "1.0.0-alpha",
        "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "1.9.0", "1.10.0", "2.0.0-x-y-z.4", "2.0.0",
        "999999999.0.0",
    ]

    @Test func `orders versions as SemVer 2_0_0 section 11 does`() throws {
        let versions = try Self.order.map { try #require(SemanticVersion($0)) }
        for (i, left) in versions.enumerated() {
            #expect(left.description == Self.order[i])
            for (j, right) in versions.enumerated() {
                #expect((left < right) == (i < j), "\(left) \(right)")
                #expect((left == right) == (i == j))
            }
        }
    }

    @Test(arguments: [
        "", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.0+build", "1.0.0-", "1.0.0-a..b",
        "1.0.0-01", "1.0.0-a_b", "v1.0.0", "1.0.0 ", "-1.0.0", "1.0.a", "1000000000.0.0",
        "1.0.0-\u{E9}", "1.0.0-" + String(repeating: "a", count: 64),
    ])
    func `refuses what is not a version, and build metadata`(text: String) {
        #expect(SemanticVersion(text) == nil)
    }
}
