import Cryptography
import ModelBundle
import Primitives
import Speech
import Testing

struct BundleBuilderTests {
    @Test func `makes the same bytes of the same input, and other bytes of another moment`() throws
    {
        let one = try SampleBundle().build()
        let two = try SampleBundle().build()
        #expect(one.bytes == two.bytes)
        let later = try BundleBuilder.build(
            try SampleBundle().read(), from: SampleBundle().files,
            created: SampleBundle.created + 1)
        #expect(later.bytes != one.bytes)
        #expect(one.warnings.isEmpty)
    }

    @Test func `lists every file that is named once, in order of bytes`() throws {
        let files = try SampleBundle().build().manifest.files
        #expect(
            files.map(\.path.description) == [
                "NOTICE", "model-card.json", "model.onnx", "routing.json", "schemas/io.json",
                "schemas/telemetry.json", "tokens.txt", "utterances/a.wav", "utterances/b.wav",
            ])
        for file in files {
            let bytes = try #require(SampleBundle.contents[file.path.description])
            #expect(file.length == Int64(bytes.count))
            #expect(file.sha256 == SHA256.digest(of: bytes))
            #expect(file.chunks == [file.sha256])
        }
    }

    @Test func `digests each chunk of a file that has several`() throws {
        var sample = SampleBundle()
        let big = (0..<(4 << 20 + 5)).map { UInt8(truncatingIfNeeded: $0 >> 7) }
        sample.files.contents["NOTICE"] = big
        let file = try #require(try sample.build().manifest.files.first)
        #expect(file.sha256 == SHA256.digest(of: big))
        #expect(
            file.chunks == [
                SHA256.digest(of: Array(big[..<(4 << 20)])),
                SHA256.digest(of: Array(big[(4 << 20)...])),
            ])
    }

    @Test func `lists all problems at once, with what to do`() throws {
        var sample = SampleBundle()
        sample.files.contents["utterances/a.wav"] = nil
        sample.files.contents["utterances/b.wav"] = SampleBundle.wave(samples: 8_000, rate: 48_000)
        sample.files.contents["tokens.txt"] = Array("\u{2581}low 0\n\u{2581}mid 2\n".utf8)
        sample.files.contents["NOTICE"] = []
        sample.files.broken = ["model-card.json"]
        sample.set("requirements.min_disk", 5)
        let error = try #require(throws: BundleError.self) { try sample.build() }
        #expect(
            error.problems.map(\.thing) == [
                "NOTICE", "utterances/a.wav", "tokens.txt", "utterances/b.wav", "model-card.json",
                "requirements.min_disk",
            ])
        #expect(
            error.problems[1].description
                == "utterances/a.wav: expected a file in the bundle's folder, got none\n"
                + "hint: bundle.yaml names it")
        #expect(
            error.problems[3].description
                == "utterances/b.wav: expected 16000 Hz, got 48000 Hz\n"
                + "hint: utterances are RIFF WAVE, 16-bit PCM, one channel, 16000 Hz, 0.3 to 60 s")
        #expect(error.description.split(separator: "\n").count == 9)
        #expect(
            error.description.hasPrefix("error: NOTICE: expected 1 to 68719476736 bytes, got 0"))
    }

    @Test func `warns of words that the model cannot say, and builds`() throws {
        var sample = SampleBundle()
        sample.set("smoke.utterances.0.transcript", "low bright high")
        let built = try sample.build()
        #expect(
            built.warnings.map(\.description) == [
                "transcript of utterances/a.wav: expected words of tokens.txt, got 'bright'\n"
                    + "hint: the model cannot say it, so every device will count it as wrong"
            ])
    }

    @Test func `asks for a measured rate of every locale in the card`() throws {
        var sample = SampleBundle()
        sample.files.contents["model-card.json"] =
            SampleBundle.card.setting(["measured_wer", "en-US"], nil).bytes
        #expect(
            try sample.problems().map(\.description) == [
                "model-card.json: measured_wer: expected a rate for locale en-US, got none"
            ])
    }

    static let cards: [(String, JSON?, String)] = [
        ("schema", "x", "schema"), ("intended_use", nil, "intended_use"),
        ("intended_use", "  ", "intended_use"), ("languages", [], "languages"),
        ("languages", [""], "languages[0]"), ("licence", nil, "licence"),
        ("training_data", nil, "training_data"), ("limits", nil, "limits"),
        ("measured_wer", nil, "measured_wer"), ("measured_wer", [5], "measured_wer"),
        ("measured_wer.en-GB", "2.6%", "measured_wer.en-GB"),
        ("measured_wer.e n", 26, "measured_wer.e n"),
    ]

    @Test(arguments: cards.indices)
    func `refuses a card without what people must know`(index: Int) throws {
        let (key, value, field) = Self.cards[index]
        var sample = SampleBundle()
        sample.files.contents["model-card.json"] =
            SampleBundle.card.setting(key.split(separator: ".")[...], value).bytes
        #expect(try sample.problems().map(\.thing) == ["model-card.json: \(field)"])
    }

    @Test func `refuses a card that is no JSON, or too long`() throws {
        var sample = SampleBundle()
        sample.files.contents["model-card.json"] = Array("# Card".utf8)
        #expect(try sample.problems().map(\.expected) == ["JSON"])
        sample.files.contents["model-card.json"] = [UInt8](repeating: 0x20, count: 262_145)
        #expect(try sample.problems().map(\.expected) == ["at most 262144 bytes"])
    }

    @Test func `refuses a file that cannot be read, wherever that shows`() throws {
        for name in SampleBundle.contents.keys.sorted() {
            var sample = SampleBundle()
            sample.files.broken = [name]
            let error = try #require(throws: BundleError.self) { try sample.build() }
            let problem = try #require(error.problems.first)
            #expect(problem.thing.hasPrefix(name))
            #expect(problem.found.contains("the disk says no"))
        }
    }

    @Test func `refuses fields that contradict one another, before any digest`() throws {
        var sample = SampleBundle()
        sample.set("rollback_floor", "2.0.0")
        #expect(
            try sample.problems().map(\.description) == [
                "bundle.yaml: rollback_floor: expected at most the version itself, 1.2.0, got 2.0.0"
            ])
    }

    @Test func `refuses names that belong to the manifest or to the agent`() throws {
        for name in ["manifest.json", ".git/config"] {
            var sample = SampleBundle()
            sample.files.contents[name] = [1]
            sample.set("files", ["NOTICE", .string(name)])
            #expect(try sample.problems().map(\.thing) == [name])
        }
    }

    @Test func `verifies a folder against its manifest`() throws {
        let manifest = try SampleBundle().build().manifest
        var files = SampleBundle().files
        #expect(BundleVerifier.problems(of: manifest, in: files).isEmpty)
        files.contents["NOTICE"] = nil
        files.contents["routing.json"] = Array("{ }".utf8)
        files.contents["tokens.txt"]?[3] ^= 1
        files.broken = ["model.onnx"]
        let problems = BundleVerifier.problems(of: manifest, in: files)
        #expect(
            problems.map(\.thing) == ["NOTICE", "model.onnx", "routing.json", "tokens.txt"])
        #expect(problems.map(\.expected).prefix(3) == ["a file", "a file to read", "2 bytes"])
        #expect(problems[3].expected.hasPrefix("SHA-256 "))
    }

    @Test func `notices a wrong chunk digest where the whole is right`() throws {
        let built = try SampleBundle().build()
        let zero = JSON.string(String(repeating: "0", count: 64))
        let manifest = try Manifest(
            built.manifest.json.setting(["files", "0", "chunks", "0"], zero))
        let problems = BundleVerifier.problems(of: manifest, in: SampleBundle().files)
        #expect(
            problems.map(\.expected) == ["chunk 0: SHA-256 " + String(repeating: "0", count: 64)])
    }
}
