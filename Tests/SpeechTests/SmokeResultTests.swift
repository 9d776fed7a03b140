import Primitives
import Speech
import TestSupport
import Testing

struct SmokeResultTests {
    /// docs/formats/smoke-result.md shows this line.
    static let golden =
        #"{"parts":{"accept_us":5000,"decode_us":900,"load_us":15000,"open_us":20000,"result_us":9},"#
        + #""peak_rss_bytes":31457280,"repeats":5,"runtime_version":"2.0.1","#
        + #""schema":"fieldfare.smoke-result/1","utterances":[{"audio_ms":2000,"cpu_us":4000,"#
        + #""transcript":"turn on the light","wall_p50_us":4010,"wall_p95_us":4090,"wav":"u/1.wav"},"#
        + #"{"audio_ms":1000,"cpu_us":2000,"transcript":"stop","wall_p50_us":2010,"#
        + #""wall_p95_us":2090,"wav":"u/2.wav"}]}"# + "\n"

    @Test func `prints figures as one golden line, and reads them back`() throws {
        let result = SmokeResult.complete(try SmokeSamples.figures())
        #expect(String(decoding: result.line, as: UTF8.self) == Self.golden)
        #expect(try SmokeResult(parsing: Array(Self.golden.utf8)) == result)
    }

    @Test func `prints a failure as one golden line, and reads it back`() throws {
        let refused = #"{"failure":"null-create","schema":"fieldfare.smoke-result/1"}"# + "\n"
        #expect(String(decoding: SmokeResult.nullCreate.line, as: UTF8.self) == refused)
        #expect(try SmokeResult(parsing: SmokeResult.nullCreate.line) == .nullCreate)
        #expect(try SmokeResult(parsing: SmokeResult.outOfMemory.line) == .outOfMemory)
    }

    @Test func `the page on the format shows the golden line`() throws {
        let page = try #require(RepositoryFiles.bytes("docs/formats/smoke-result.md"))
        #expect(String(decoding: page, as: UTF8.self).contains(Self.golden))
    }

    static let faults: [(String, String)] = [
        ("", "expected more"),
        ("\n", "expected more"),
        ("words\n", "expected a value"),
        (golden + golden, "expected the end of the text"),
        ("noise " + golden, "expected null"),
        (String(golden.dropLast(3)), "expected"),
        (golden.replacing("result/1", with: "result/2"), "field 'schema'"),
        (golden.replacing(#""repeats":5"#, with: #""repeats":0"#), "field 'repeats'"),
        (golden.replacing(#""cpu_us":4000"#, with: #""cpu_us":-1"#), "utterances[0].cpu_us"),
        (golden.replacing(#""audio_ms":1000"#, with: #""audio_ms":0"#), "utterances[1].audio_ms"),
        (golden.replacing("u/2.wav", with: "../2.wav"), "utterances[1].wav"),
        (golden.replacing(#""decode_us":900,"#, with: ""), "parts.decode_us"),
        (golden.replacing(#""repeats":5"#, with: #""repeats":5,"more":1"#), "field 'more'"),
        (#"{"failure":"tired","schema":"fieldfare.smoke-result/1"}"#, "field 'failure'"),
        (#"{"failure":"memory","schema":"fieldfare.smoke-result/1","x":1}"#, "field 'x'"),
    ]

    @Test(arguments: faults.indices)
    func `refuses everything that is not one whole line of a result`(index: Int) throws {
        let (text, part) = Self.faults[index]
        let error = try #require(throws: SpeechError.self) {
            try SmokeResult(parsing: Array(text.utf8))
        }
        #expect(error.description.contains(part), "\(error)")
    }

    @Test func `refuses more bytes than a line may have`() {
        let bytes = [UInt8](repeating: 0x20, count: SmokeResult.byteLimit + 1)
        #expect(throws: SpeechError.json(.tooLong(limit: 1_048_576, found: 1_048_577))) {
            try SmokeResult(parsing: bytes)
        }
    }
}
