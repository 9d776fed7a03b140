import CSherpaOnnx
package import Speech

/// A model, loaded and ready to transcribe; one thread, greedy search.
///
/// With some bad models the runtime does not return: it ends the process, aborts it, or runs for ever
/// (docs/formats/smoke-result.md). Use it on a model that has not passed its smoke test only in a child process.
@safe package struct Recogniser: ~Copyable {
    private let pointer: OpaquePointer

    /// Loads the model of a bundle whose files lie in `folder`.
    ///
    /// - Throws: `tooOld` or `nullCreate`.
    package init(
        _ library: SpeechLibrary, settings: RecogniserSettings, folder: String
    ) throws(SpeechRuntimeError) {
        try library.require(settings.minimumVersion)
        let model = "\(folder)/\(settings.model)"
        let tokens = "\(folder)/\(settings.tokens)"
        let created = unsafe csherpa_recogniser_create(
            library.pointer, model, tokens, Int32(settings.features.sampleRate),
            Int32(settings.features.bins))
        guard let created = unsafe created else { throw .nullCreate(model: model) }
        unsafe pointer = created
    }

    deinit { unsafe csherpa_recogniser_destroy(pointer) }

    /// Transcribes samples at 16 kHz, each in -1 ..< 1, as `Wave.normalised` gives them.
    package func transcribe(_ samples: [Float]) -> Recognition {
        let cpu = Stopwatch.cpuMicroseconds()
        let started = Stopwatch.wallMicroseconds()
        let stream = unsafe csherpa_stream_create(pointer)
        defer { unsafe csherpa_stream_destroy(stream) }
        unsafe samples.withUnsafeBufferPointer { buffer in
            unsafe csherpa_stream_accept(
                stream, Int32(Wave.sampleRate), buffer.baseAddress, Int32(buffer.count))
        }
        let accepted = Stopwatch.wallMicroseconds()
        unsafe csherpa_stream_decode(stream)
        let decoded = Stopwatch.wallMicroseconds()
        let result = unsafe csherpa_result_take(stream)
        defer { unsafe csherpa_result_destroy(result) }
        let transcript = unsafe csherpa_result_text(result).map { unsafe String(cString: $0) } ?? ""
        let finished = Stopwatch.wallMicroseconds()
        let spent = Stopwatch.cpuMicroseconds() - cpu
        return Recognition(
            transcript: transcript, tokens: unsafe Self.tokens(result), cpuMicroseconds: spent,
            acceptMicroseconds: accepted - started, decodeMicroseconds: decoded - accepted,
            resultMicroseconds: finished - decoded)
    }

    private static func tokens(_ result: OpaquePointer?) -> [RecognisedToken] {
        let count = unsafe csherpa_result_count(result)
        return (0..<max(count, 0)).map { index in
            let symbol = unsafe csherpa_result_token(result, index).map {
                unsafe String(cString: $0)
            }
            let seconds = unsafe csherpa_result_time(result, index)
            return RecognisedToken(
                symbol: symbol ?? "",
                milliseconds: seconds < 0 ? nil : Int((seconds * 1_000).rounded()))
        }
    }
}
