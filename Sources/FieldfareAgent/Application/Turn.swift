import Primitives

/// One thing that a user said, and how the model did: only counts and times, never words.
///
/// Nil is what the application does not know.
public struct Turn: Sendable, Hashable {
    /// Wall time as the user felt it, in microseconds: 0 to 86,400,000,000.
    public var latencyMicroseconds: Int?
    /// Time of the process on the processor, in microseconds: 0 to 86,400,000,000.
    public var cpuMicroseconds: Int?
    /// How sure the model was, in thousandths: 0 to 1,000.
    public var confidence: Int?
    /// Whether it was given to the cloud.
    public var isEscalated = false
    /// Whether it failed.
    public var isError = false
    /// Whether something was heard that nobody said.
    public var isFalseAccept = false
    /// Whether the user gave up.
    public var isAbandoned = false
    /// Whether the user said it again.
    public var isRetried = false
    /// The language of this turn, such as `en-GB`, where it is not the device's.
    public var locale: String?
    /// Memory of the model's process in KiB at this turn, or the most it has held with this version; from 1.
    public var memoryKiB: Int?
    /// Words of a turn whose words the application knows, and the errors in them; 0 to 10,000 each.
    public var words: (count: Int, errors: Int)? {
        get { wordCount.map { ($0, wordErrors) } }
        set { (wordCount, wordErrors) = (newValue?.count, newValue?.errors ?? 0) }
    }
    /// Parts of the latency, in microseconds: of `capture`, `inference`, `post_processing`, `transport` those that are known.
    public var partMicroseconds: [String: Int] = [:]

    private var wordCount: Int?
    private var wordErrors = 0

    /// A turn of which the rest is filled in where it is known.
    ///
    /// - Parameters:
    ///   - latencyMicroseconds: wall time as the user felt it.
    ///   - cpuMicroseconds: time of the process on the processor.
    public init(latencyMicroseconds: Int? = nil, cpuMicroseconds: Int? = nil) {
        self.latencyMicroseconds = latencyMicroseconds
        self.cpuMicroseconds = cpuMicroseconds
    }

    /// As the local socket takes it (docs/protocol.md), with the version that answered.
    func json(of version: String) -> JSON {
        func number(_ value: Int?) -> JSON? { value.map { .integer(Int64($0)) } }
        var fields: JSONObject = ["version": .string(version)]
        fields["latency_us"] = number(latencyMicroseconds)
        fields["cpu_us"] = number(cpuMicroseconds)
        fields["confidence"] = number(confidence)
        for (key, isSo) in [
            ("escalated", isEscalated), ("error", isError), ("false_accept", isFalseAccept),
            ("abandoned", isAbandoned), ("retried", isRetried),
        ] where isSo { fields[key] = true }
        fields["locale"] = locale.map { .string($0) }
        fields["memory_kib"] = number(memoryKiB)
        fields["word_errors"] = words.map {
            ["words": .integer(Int64($0.count)), "errors": .integer(Int64($0.errors))]
        }
        if !partMicroseconds.isEmpty {
            fields["parts_us"] = .object(
                JSONObject(partMicroseconds.map { ($0.key, .integer(Int64($0.value))) }))
        }
        return .object(fields)
    }
}
