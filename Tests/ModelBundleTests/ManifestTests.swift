import Cryptography
import ModelBundle
import Primitives
import Speech
import Testing

struct ManifestTests {
    @Test func `reads its own bytes, and writes the same again`() throws {
        let built = try SampleBundle().build()
        let read = try Manifest(parsing: built.bytes)
        #expect(read == built.manifest)
        #expect(read.bytes == built.bytes)
        #expect(try Manifest(parsing: read.json.prettyBytes) == read)
    }

    @Test func `is named by model and version among the targets`() throws {
        let manifest = try SampleBundle().build().manifest
        #expect(manifest.targetPath.description == "bundles/tones-en/1.2.0.json")
    }

    @Test func `tells the parts that devices ask for`() throws {
        let manifest = try SampleBundle().build().manifest
        #expect(manifest.runtime.model.description == "model.onnx")
        #expect(manifest.requirements.architectures == [.x86, .arm])
        #expect(manifest.requirements.minimumMemory == 128 << 20)
        #expect(
            manifest.totalLength == SampleBundle.contents.values.reduce(0) { $0 + Int64($1.count) })
        let tokens = try #require(TargetPath("tokens.txt"))
        let file = try #require(manifest.file(at: tokens))
        #expect(file.range(ofChunk: 0) == 0..<file.length)
        #expect(manifest.file(at: try #require(TargetPath("nothing"))) == nil)
        #expect(manifest.rollbackFloor?.description == "1.0.0")
        #expect(manifest.compatibility.supersedes?.description == "1.1.0")
    }

    @Test func `may leave out what is optional`() throws {
        var sample = SampleBundle()
        for path in ["rollback_floor", "routing_policy", "compatibility.supersedes"] {
            sample.set(path, nil)
        }
        sample.set("provenance.pipeline_url", nil)
        sample.set("provenance.derived_from", nil)
        let built = try sample.build()
        #expect(try Manifest(parsing: built.bytes) == built.manifest)
        #expect(built.manifest.rollbackFloor == nil)
        #expect(built.manifest.routingPolicy == nil)
        #expect(built.manifest.json["rollback_floor"] == nil)
        #expect(built.manifest.provenance.pipelineURL == nil)
        #expect(built.manifest.provenance.derivedFrom == nil)
        #expect(built.manifest.compatibility.supersedes == nil)
    }

    static let digest = JSON.string(String(repeating: "a", count: 64))

    /// What is put where, and the field that is then refused.
    static let faults: [(path: String, value: JSON?, field: String)] = [
        ("schema", "fieldfare.manifest/2", "schema"),
        ("task", "tts", "task"),
        ("model", "targets", "model"),
        ("model", "*", "model"),
        ("version", "1.2.0+build", "version"),
        ("created", "2026-11-21", "created"),
        ("locales", [], "locales"),
        ("locales", ["en-GB", "en-US", "en-US"], "locales"),
        ("locales", ["en-GB"], "smoke.utterances[1].locale"),
        ("locales", [5], "locales[0]"),
        ("locales.0", "e n", "locales[0]"),
        ("runtime.engine", "other", "runtime.engine"),
        ("runtime.model", "missing.onnx", "runtime.model"),
        ("runtime.tokens", "missing.txt", "runtime.tokens"),
        ("files", [], "files"),
        ("files.0.path", "manifest.json", "files[0].path"),
        ("files.0.path", ".hidden", "files[0].path"),
        ("files.0.path", "a\u{1}b", "files[0].path"),
        ("files.0.path", "../up", "files[0].path"),
        ("files.1.path", "NOTICE", "files[1].path"),
        ("files.0.path", "zzz", "files[1].path"),
        ("files.0.length", 0, "files[0].length"),
        ("files.0.length", 4_194_305, "files[0].chunks"),
        ("files.0.length", .integer(1 << 40), "files[0].length"),
        ("files.0.chunk_length", 1_048_576, "files[0].chunk_length"),
        ("files.0.sha256", "ABC", "files[0].sha256"),
        ("files.0.chunks", [], "files[0].chunks"),
        ("files.0.chunks", [5], "files[0].chunks[0]"),
        ("files.0.chunks", ["x"], "files[0].chunks[0]"),
        ("files.0.mode", 420, "files[0].mode"),
        ("smoke.max_wer", 2_000, "smoke.max_wer"),
        ("smoke.utterances.0.wav", "none.wav", "smoke.utterances[0].wav"),
        ("requirements.arch", [], "requirements.arch"),
        ("requirements.arch", ["mips"], "requirements.arch[0]"),
        ("requirements.arch", ["x86_64", "x86_64"], "requirements.arch[1]"),
        ("requirements.arch", [1], "requirements.arch[0]"),
        ("requirements.min_memory", -1, "requirements.min_memory"),
        ("requirements.min_disk", "1 MiB", "requirements.min_disk"),
        ("requirements.min_agent", "new", "requirements.min_agent"),
        ("requirements.gpu", true, "requirements.gpu"),
        ("io_schema.path", "none.json", "io_schema.path"),
        ("io_schema.sha256", digest, "io_schema.path"),
        ("io_schema.sha256", "x", "io_schema.sha256"),
        ("io_schema.more", 1, "io_schema.more"),
        ("telemetry_schema.sha256", digest, "telemetry_schema.path"),
        ("compatibility.mode", "sideways", "compatibility.mode"),
        ("compatibility.supersedes", "1.2.0", "compatibility.supersedes"),
        ("compatibility.supersedes", "x", "compatibility.supersedes"),
        ("compatibility.more", 1, "compatibility.more"),
        ("model_card", "none.json", "model_card"),
        ("model_card", nil, "model_card"),
        ("routing_policy", "none.json", "routing_policy"),
        ("provenance.source_commit", "main", "provenance.source_commit"),
        ("provenance.source_commit", "0123", "provenance.source_commit"),
        ("provenance.pipeline_url", "http://ci.example/", "provenance.pipeline_url"),
        ("provenance.pipeline_url", "https://ci.example/<script>", "provenance.pipeline_url"),
        ("provenance.builder", "", "provenance.builder"),
        ("provenance.builder", "a\u{7}", "provenance.builder"),
        ("provenance.derived_from", "old", "provenance.derived_from"),
        ("provenance.host", "x", "provenance.host"),
        ("rollback_floor", "1.2.1", "rollback_floor"),
        ("rollback_floor", "x", "rollback_floor"),
        ("extra", 1, "extra"),
    ]

    @Test(arguments: faults.indices)
    func `refuses a wrong field by its path`(index: Int) throws {
        let (path, value, field) = Self.faults[index]
        let manifest = try SampleBundle().build().manifest.json
            .setting(path.split(separator: ".")[...], value)
        let error = try #require(throws: ManifestError.self) {
            try Manifest(parsing: manifest.bytes)
        }
        guard case .field(let wrong) = error else {
            Issue.record("expected a field error, got \(error)")
            return
        }
        #expect(wrong.path == field)
        #expect(error.description.hasPrefix("manifest: field '\(field)': expected"))
    }

    @Test func `refuses a path that is a file and a folder`() throws {
        var sample = SampleBundle()
        sample.files.contents["schemas"] = [1]
        sample.set("files", ["NOTICE", "schemas"])
        let error = try #require(throws: BundleError.self) { try sample.build() }
        #expect(
            error.problems.map(\.description) == [
                "bundle.yaml: files: expected 'schemas' as a file or a folder, got both"
            ])
    }

    @Test func `refuses other JSON, and too much of it`() throws {
        #expect(throws: ManifestError.json(.unexpectedEnd(offset: 0))) {
            try Manifest(parsing: [])
        }
        #expect(throws: ManifestError.json(.tooLong(limit: 1_048_576, found: 1_048_577))) {
            try Manifest(parsing: [UInt8](repeating: 0x20, count: 1_048_577))
        }
        let error = try #require(throws: ManifestError.self) {
            try Manifest(parsing: Array("[]".utf8))
        }
        #expect(error.description == "manifest: document: expected an object, got an array")
    }

    @Test func `cuts files into chunks of 4 MiB`() throws {
        let path = try #require(TargetPath("big"))
        let digest = SHA256.digest(of: [])
        #expect(ManifestFile.chunkCount(of: 1) == 1)
        #expect(ManifestFile.chunkCount(of: 4 << 20) == 1)
        #expect(ManifestFile.chunkCount(of: 4 << 20 + 1) == 2)
        let file = try ManifestFile(
            path: path, length: 9 << 20, sha256: digest,
            chunks: [digest, digest, digest])
        #expect(file.range(ofChunk: 1) == (4 << 20)..<(8 << 20))
        #expect(file.range(ofChunk: 2) == (8 << 20)..<(9 << 20))
        for count in [2, 4] {
            let chunks = [SHA256Digest](repeating: digest, count: count)
            #expect(
                throws: FieldError(
                    path: "file.chunks", expected: "3 digests for 9437184 bytes", found: "\(count)")
            ) { try ManifestFile(path: path, length: 9 << 20, sha256: digest, chunks: chunks) }
        }
        #expect(throws: FieldError.self) {
            try ManifestFile(path: path, length: 0, sha256: digest, chunks: [])
        }
    }
}
