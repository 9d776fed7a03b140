/// Why bytes are not a WAV file that a smoke test may play to a model.
///
/// sherpa-onnx takes the process with it when it is given a WAV with less than one frame of samples,
/// and silently uses the first channel of several: so each way to be wrong is a refusal of its own.
package enum WaveError: Error, Sendable, Hashable {
    case tooShortForHeader(bytes: Int)
    case notRIFF
    case notWAVE
    case riffLength(declared: Int, found: Int)
    case truncatedChunk(id: String, declared: Int, left: Int)
    case missingFormat
    case dataBeforeFormat
    case repeatedChunk(id: String)
    case formatLength(Int)
    case notPCM(formatTag: Int)
    case channels(Int)
    case sampleRate(Int)
    case bitsPerSample(Int)
    case blockAlignment(declared: Int, expected: Int)
    case byteRate(declared: Int, expected: Int)
    case missingData
    case oddDataLength(Int)
    case tooShort(milliseconds: Int)
    case tooLong(milliseconds: Int)
    case tooManyBytes(limit: Int, found: Int)
}

extension WaveError: CustomStringConvertible {
    package var description: String {
        let (expected, found) = facts
        return "WAV: expected \(expected), got \(found)"
    }

    /// What was expected and what was found, for a list of problems.
    package var facts: (expected: String, found: String) {
        switch self {
        case .tooShortForHeader(let bytes): ("a header of 12 bytes", "\(bytes)")
        case .notRIFF: ("a RIFF file", "other bytes")
        case .notWAVE: ("a RIFF file of kind WAVE", "another kind")
        case .riffLength(let declared, let found):
            ("a RIFF chunk of \(declared) bytes, as declared", "\(found)")
        case .truncatedChunk(let id, let declared, let left):
            ("\(declared) bytes in chunk '\(id)', as declared", "\(left)")
        case .missingFormat: ("a 'fmt ' chunk", "none")
        case .dataBeforeFormat: ("the 'fmt ' chunk before 'data'", "'data' first")
        case .repeatedChunk(let id): ("one '\(id)' chunk", "several")
        case .formatLength(let length): ("a 'fmt ' chunk of 16 to 40 bytes", "\(length)")
        case .notPCM(let tag): ("PCM (format 1)", "format \(tag)")
        case .channels(let count): ("1 channel", "\(count)")
        case .sampleRate(let rate): ("16000 Hz", "\(rate) Hz")
        case .bitsPerSample(let bits): ("16 bits a sample", "\(bits)")
        case .blockAlignment(let declared, let expected):
            ("blocks of \(expected) bytes", "\(declared)")
        case .byteRate(let declared, let expected):
            ("\(expected) bytes a second", "\(declared)")
        case .missingData: ("a 'data' chunk", "none")
        case .oddDataLength(let length): ("whole samples of 2 bytes", "\(length) bytes")
        case .tooShort(let milliseconds): ("more than 300 ms of sound", "\(milliseconds) ms")
        case .tooLong(let milliseconds): ("at most 60 s of sound", "\(milliseconds) ms")
        case .tooManyBytes(let limit, let found): ("at most \(limit) bytes", "\(found)")
        }
    }
}
