import AgentCore
import Primitives
import Rollouts
import TestSupport
import Testing

/// When a download may begin, by all that may stand in its way.
struct DownloadLeaveTests {
    private static let noon = UTCTime(clamping: 1_800_000_000 / 86_400 * 86_400) + 43_200

    private static let rules = DownloadRules(
        metered: false, leastBattery: 300,
        meteredBudget: DownloadRules.Budget(bytes: 5, retries: 2),
        unmeteredBudget: DownloadRules.Budget(bytes: nil, retries: 7))

    private static func leave(
        _ conditions: Conditions, rules: DownloadRules? = rules, back: Bool = false,
        windows: [DailyWindow] = [], hasModel: Bool = true
    ) -> DownloadLeave {
        DownloadLeave(
            for: Release(
                bundle: Fixture.new, direction: back ? .back : .forward, needsBeacon: false,
                probation: nil, download: rules),
            under: conditions, windows: windows, hasModel: hasModel, at: noon)
    }

    @Test func `a link that nobody knows counts as metered`() {
        #expect(Self.leave(Conditions()) == .wait(.metered, until: nil))
        #expect(Self.leave(Conditions(link: .metered)) == .wait(.metered, until: nil))
        #expect(
            Self.leave(Conditions(link: .unmetered)) == .go(Self.rules.unmeteredBudget))
        var open = Self.rules
        open.metered = true
        #expect(Self.leave(Conditions(), rules: open) == .go(Self.rules.meteredBudget))
    }

    @Test func `a battery must have what the policy asks for`() {
        let charges: [(Int?, DownloadLeave)] = [
            (nil, .go(Self.rules.unmeteredBudget)), (300, .go(Self.rules.unmeteredBudget)),
            (299, .wait(.battery, until: nil)), (0, .wait(.battery, until: nil)),
        ]
        for (charge, expected) in charges {
            let conditions = Conditions(link: .unmetered, batteryCharge: charge)
            #expect(Self.leave(conditions) == expected, "\(String(describing: charge))")
        }
    }

    @Test func `outside of all windows it waits for the next one`() throws {
        let night = try #require(DailyWindow(from: 1_320, until: 360))
        let evening = try #require(DailyWindow(from: 1_080, until: 1_140))
        let lunch = try #require(DailyWindow(from: 700, until: 740))
        let free = Conditions(link: .unmetered)
        #expect(
            Self.leave(free, windows: [night, evening])
                == .wait(.window, until: Self.noon + 6 * 3_600))
        #expect(
            Self.leave(free, windows: [night, lunch]) == .go(Self.rules.unmeteredBudget))
    }

    @Test func `a device without a model waits for a link that may be used, and nothing else`()
        throws
    {
        let night = try #require(DailyWindow(from: 1_320, until: 360))
        let poor = Conditions(link: .unmetered, batteryCharge: 1)
        #expect(
            Self.leave(poor, windows: [night], hasModel: false)
                == .go(Self.rules.unmeteredBudget))
        #expect(Self.leave(Conditions(), hasModel: false) == .wait(.metered, until: nil))
    }

    @Test func `the way back waits for nothing, and neither does what has no policy`() throws {
        let night = try #require(DailyWindow(from: 1_320, until: 360))
        let poor = Conditions(link: .metered, batteryCharge: 1)
        #expect(Self.leave(poor, back: true, windows: [night]) == .go(nil))
        #expect(Self.leave(poor, rules: nil) == .go(nil))
    }
}
