import Primitives
import Speech

/// What the stand-in has seen so far; printed now and then, and after each change.
struct VoiceFigures {
    private(set) var turns = 0
    /// Times that, once there had been a model, the agent had none to give or the one it gave could not be loaded.
    private(set) var withoutModel = 0
    /// Requests of the application that the agent refused.
    private(set) var refused = 0
    /// Times that the agent went away, once it had been there.
    private(set) var lost = 0
    private var words = 0
    private var wordErrors = 0
    private var costs: [Int64] = []

    mutating func count(_ turn: Turn) {
        turns += 1
        words += turn.words.words
        wordErrors += turn.words.edits
        costs.append(turn.cpuMicroseconds)
    }

    mutating func countWithoutModel() { withoutModel += 1 }
    mutating func countRefused() { refused += 1 }
    mutating func countLost() { lost += 1 }

    /// Words and costs of the version now served; what is counted over all versions stays.
    mutating func startVersion() {
        words = 0
        wordErrors = 0
        costs = []
    }

    func json(of version: SemanticVersion?) -> JSON {
        let sorted = costs.sorted()
        return [
            "event": "figures", "version": version.map { .string($0.description) } ?? .null,
            "turns": .integer(Int64(turns)), "without_model": .integer(Int64(withoutModel)),
            "refused": .integer(Int64(refused)), "lost": .integer(Int64(lost)),
            "words": .integer(Int64(words)),
            "word_errors": .integer(Int64(wordErrors)),
            "version_turns": .integer(Int64(costs.count)),
            "cpu_p50_us": sorted.isEmpty ? .null : .integer(sorted[sorted.count / 2]),
            "cpu_p95_us": sorted.isEmpty ? .null : .integer(sorted[sorted.count * 95 / 100]),
        ]
    }
}
