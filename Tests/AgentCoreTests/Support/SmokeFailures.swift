import Speech

/// One of each reason for which a smoke test fails.
enum SmokeFailures {
    static let all: [SmokeFailureReason] = [
        .nullCreate, .exit(1), .exit(3), .exit(4), .signal(6), .timeout, .badOutput,
        .wordErrorRate, .latency, .memory,
    ]
}
