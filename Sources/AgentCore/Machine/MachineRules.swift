/// How long the machine waits, in seconds, and how often it tries.
///
/// The defaults are for a device in the field; a demonstration sets seconds.
package struct MachineRules: Sendable, Hashable {
    package var checkingSeconds: Int64 = 600
    package var downloadingSeconds: Int64 = 7 * 86_400
    /// How long a whole bundle waits for its smoke test.
    package var verifiedSeconds: Int64 = 7 * 86_400
    /// More than the longest time limit of a smoke test.
    package var attemptingSeconds: Int64 = 3_600
    package var announcingSeconds: Int64 = 86_400
    package var swappingSeconds: Int64 = 600
    /// Long: a disk that does not let the link move lets no update come either.
    package var rollingBackSeconds: Int64 = 86_400
    /// Downloads begun for one attempt, and restarts of the agent in one state.
    package var mostTries = 20
    /// Troubles of the bundle's own before it is failed for good: tried once more.
    package var mostTroubles = 2
    /// Unfinished smoke tests before the bundle is rejected.
    package var mostUnfinished = 2
    /// The least rest after a first trouble; doubled with each, up to `longestRest`.
    package var restSeconds: Int64 = 600
    package var longestRest: Int64 = 86_400

    package init() {}

    /// Seconds before a bundle may be tried again.
    package func rest(afterTroubles count: Int) -> Int64 {
        let doublings = min(max(0, count - 1), 20)
        return min(restSeconds << Int64(doublings), longestRest)
    }

    /// Seconds before a broken-off download is begun again, without jitter.
    package func pause(beforeTry number: Int) -> Int64 {
        min(5 << Int64(min(max(0, number - 1), 10)), 900)
    }
}
