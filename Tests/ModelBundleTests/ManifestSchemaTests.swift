import Glibc
import ModelBundle
import Primitives
import TestSupport
import Testing

struct ManifestSchemaTests {
    private func validator() throws -> SchemaValidator {
        SchemaValidator(
            root: try #require(
                RepositoryFiles.json("manifests/schemas/manifest.schema.json")))
    }

    @Test func `the committed sample is what the builder makes`() throws {
        let built = try SampleBundle().build()
        // FIELDFARE_WRITE_FIXTURES=1 writes the sample anew, after a change of the format.
        if unsafe getenv("FIELDFARE_WRITE_FIXTURES") != nil {
            try write(built.manifest.json.prettyBytes)
        }
        let sample = try #require(RepositoryFiles.bytes("fixtures/manifest/sample.json"))
        #expect(sample == built.manifest.json.prettyBytes)
        #expect(try Manifest(parsing: sample) == built.manifest)
    }

    private func write(_ bytes: [UInt8]) throws {
        let path = RepositoryFiles.path("fixtures/manifest/sample.json")
        let file = unsafe try #require(fopen(path, "w"))
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        #expect(unsafe fclose(file) == 0 && count == bytes.count)
    }

    @Test func `the schema accepts every manifest that the builder makes`() throws {
        let validator = try validator()
        #expect(validator.problems(try SampleBundle().build().manifest.json) == [])
        var bare = SampleBundle()
        for path in ["rollback_floor", "routing_policy", "compatibility.supersedes", "files"] {
            bare.set(path, nil)
        }
        bare.set("provenance.pipeline_url", nil)
        bare.set("provenance.derived_from", nil)
        #expect(validator.problems(try bare.build().manifest.json) == [])
    }

    /// Faults that only the relation of fields shows, which no schema can tell.
    static let relations: Set<String> = [
        "locales", "smoke.utterances[1].locale", "runtime.model", "runtime.tokens", "files[1].path",
        "files[0].chunks", "smoke.utterances[0].wav", "io_schema.path", "telemetry_schema.path",
        "model_card", "routing_policy", "compatibility.supersedes", "rollback_floor",
    ]

    @Test(arguments: ManifestTests.faults.indices)
    func `the schema refuses what the parser refuses in one field`(index: Int) throws {
        let (path, value, field) = ManifestTests.faults[index]
        let manifest = try SampleBundle().build().manifest.json
            .setting(path.split(separator: ".")[...], value)
        let problems = try validator().problems(manifest)
        #expect(!problems.isEmpty || Self.relations.contains(field), "\(path)")
    }

    @Test func `the schema requires exactly the fields that the parser requires`() throws {
        let manifest = try SampleBundle().build().manifest.json
        for path in Self.paths(manifest, "") {
            let without = manifest.setting(path.split(separator: ".")[...], nil)
            let parses = (try? Manifest(without)) != nil
            let validates = try validator().problems(without).isEmpty
            #expect(parses == validates, "without \(path)")
        }
    }

    /// The path of every field of every object.
    private static func paths(_ json: JSON, _ path: String) -> [String] {
        switch json {
        case .object(let fields):
            fields.keys.sorted().flatMap { key -> [String] in
                let inner = path.isEmpty ? key : "\(path).\(key)"
                return [inner] + paths(fields[key] ?? .null, inner)
            }
        case .array(let elements):
            elements.indices.flatMap { paths(elements[$0], "\(path).\($0)") }
        default: []
        }
    }

    @Test func `the validator refuses keywords that it does not check`() {
        let validator = SchemaValidator(root: ["multipleOf": 2])
        #expect(validator.problems(4) == [": unknown keyword multipleOf"])
    }
}
