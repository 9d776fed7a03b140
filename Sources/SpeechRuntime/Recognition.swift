/// One output symbol of the model, and when it was heard.
package struct RecognisedToken: Sendable, Hashable {
    package let symbol: String
    /// From the start of the sound; nil where the runtime gives no times.
    package let milliseconds: Int?

    package init(symbol: String, milliseconds: Int?) {
        self.symbol = symbol
        self.milliseconds = milliseconds
    }
}

/// What the model heard in one utterance, and what hearing it cost.
package struct Recognition: Sendable, Hashable {
    package let transcript: String
    package let tokens: [RecognisedToken]
    /// CPU time of the whole process while it ran, in microseconds.
    package let cpuMicroseconds: Int64
    /// Wall time by part, in microseconds: taking the samples in, decoding, taking the transcript out.
    package let acceptMicroseconds: Int64
    package let decodeMicroseconds: Int64
    package let resultMicroseconds: Int64

    package var wallMicroseconds: Int64 {
        acceptMicroseconds + decodeMicroseconds + resultMicroseconds
    }
}
