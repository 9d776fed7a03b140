import Primitives
import TestSupport
import Testing

@testable import Rollouts

struct ShareChoiceTests {
    static func census(_ buckets: [String: [Int]]) -> FleetCensus {
        var census = FleetCensus()
        for (text, values) in buckets {
            let cohort = made(Cohort(text))
            for value in values {
                census.add(
                    DeviceAttributes(
                        number: 1, region: cohort.region, deviceClass: cohort.deviceClass,
                        locale: name("en-GB")), bucket: made(Bucket(value)))
            }
        }
        return census
    }

    static func stage(_ share: Int, _ least: Int, _ cap: Int) -> Stage {
        Stage(
            name: name("beta"),
            quota: Quota(share: basisPoints(share), leastDevices: least, cap: basisPoints(cap)),
            leastSoak: day, mostSoak: day)
    }

    static func shares(
        _ stage: Stage, _ buckets: [Int], held: Int = 0, before: Int = 0
    ) -> BasisPoints? {
        ShareChoice.shares(
            of: stage, census: census(["eu/hub": buckets]), holdBack: { _ in basisPoints(held) },
            before: { _ in basisPoints(before) })[made(Cohort("eu/hub"))]
    }

    @Test func `takes the share that gives the least devices, and not one more`() throws {
        let buckets = [400, 900, 1_700, 2_100, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]
        #expect(Self.shares(Self.stage(100, 3, 5_000), buckets) == basisPoints(1_701))
        #expect(Self.shares(Self.stage(1_000, 2, 5_000), buckets) == nil)
        #expect(Self.shares(Self.stage(100, 3, 1_500), buckets) == basisPoints(901))
    }

    @Test func `never goes above the cap, whatever the buckets`() throws {
        let high = Array(stride(from: 7_000, to: 8_000, by: 10))
        #expect(Self.shares(Self.stage(100, 10, 2_500), high) == basisPoints(2_500))
    }

    @Test func `a share is never less than in the stage before`() throws {
        let buckets = Array(stride(from: 0, to: 10_000, by: 10))
        #expect(
            Self.shares(Self.stage(1_000, 0, 5_000), buckets, before: 2_345) == basisPoints(2_345))
    }

    @Test func `does not count on devices that are held back`() throws {
        #expect(Self.shares(Self.stage(100, 2, 10_000), [9_000, 9_100], held: 1_500) == nil)
        #expect(
            Self.shares(Self.stage(100, 2, 10_000), [8_000, 9_100], held: 1_500)
                == basisPoints(8_001))
    }

    @Test func `holds back the highest buckets, as many as the quota says`() throws {
        var policy = World().policy
        policy.holdBack = Quota(
            share: basisPoints(500), leastDevices: 3, cap: basisPoints(3_000))
        let cohort = made(Cohort("eu/hub"))
        func held(_ buckets: [Int]) -> BasisPoints? {
            ShareChoice.holdBack(policy, census: Self.census(["eu/hub": buckets]))[cohort]
        }
        #expect(held([1, 2, 3, 4, 5, 6, 7, 8_000, 8_500, 9_000]) == basisPoints(2_000))
        #expect(held([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == basisPoints(3_000))
        #expect(held([1, 9_600, 9_700, 9_800]) == nil)
    }

    @Test func `a table has room for so many cohorts, those it names already first`() throws {
        func table(_ range: Range<Int>, _ share: Int) -> [Cohort: BasisPoints] {
            Dictionary(
                range.map { (made(Cohort("r\($0 + 1_000)/hub")), basisPoints(share)) }
            ) { one, _ in one }
        }
        let plan = World().plan
        let held = table(500..<1_499, 200)
        let fitting = plan.fitting(table(0..<600, 300), into: held)
        #expect(fitting == table(500..<600, 300).merging(table(0..<1, 300)) { one, _ in one })
        #expect(plan.fitting(table(0..<1_100, 300), into: [:]) == table(0..<1_000, 300))
    }

    @Test func `all tables together have room for so many bytes`() throws {
        func table(_ count: Int) -> [Cohort: BasisPoints] {
            let tail = String(repeating: "x", count: 50)
            return Dictionary(
                (0..<count).map {
                    (made(Cohort("r\($0 + 1_000)-\(tail)/\(tail)")), basisPoints(300))
                }
            ) { one, _ in one }
        }
        var plan = World().plan
        plan.stages = []
        for _ in 0..<Policy.mostStages {
            let shares = plan.fitting(table(400), into: [:])
            plan.stages.append(Plan.BegunStage(began: World.start, shares: shares))
        }
        #expect(plan.stages.map(\.shares.count).prefix(3) == [400, 400, 329])
        #expect(plan.stages.dropFirst(3).allSatisfy { $0.shares.isEmpty })
        #expect(plan.json.canonicalBytes.count < Plan.longestShares + 4_000)
        #expect(try Plan(parsing: plan.json.canonicalBytes) == plan)
    }

    @Test func `a census counts the devices that a place reaches`() throws {
        let census = Self.census(["eu/hub": [3, 1], "us/hub": [2]])
        #expect(
            census.buckets(in: [Where(regions: [name("eu")])]) == [made(Cohort("eu/hub")): [1, 3]])
        #expect(census.buckets(in: [.everywhere, .everywhere]).count == 2)
        #expect(census.buckets(in: []) == [:])
    }
}
