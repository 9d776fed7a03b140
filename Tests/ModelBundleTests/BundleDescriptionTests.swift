import ModelBundle
import Primitives
import Speech
import Testing

struct BundleDescriptionTests {
    @Test func `reads numbers as people write them`() throws {
        var sample = SampleBundle()
        sample.set("smoke.memory_limit", "256 MiB")
        sample.set("smoke.max_wer", "2.5%")
        sample.set("requirements.min_memory", 1_000)
        sample.set("requirements.min_disk", "1GB")
        let description = try sample.read()
        #expect(description.smoke.memoryLimit == 256 << 20)
        #expect(description.smoke.maximumWER == 25)
        #expect(description.requirements.minimumMemory == 1_000)
        #expect(description.requirements.minimumDisk == 1_000_000_000)
    }

    @Test func `fills in the timeout and the memory limit`() throws {
        let suite = try SampleBundle().read().smoke
        #expect(suite.timeoutMilliseconds == 10_000)
        #expect(suite.memoryLimit == 512 << 20)
    }

    static let faults: [(path: String, value: JSON?, field: String)] = [
        ("schema", "fieldfare.manifest/1", "schema"),
        ("task", nil, "task"),
        ("model", "Commands", "model"),
        ("version", 1, "version"),
        ("locales", "en", "locales"),
        ("smoke", "none", "smoke"),
        ("smoke", nil, "smoke"),
        ("smoke.max_wer", "ten", "smoke.max_wer"),
        ("smoke.max_wer", "101%", "smoke.max_wer"),
        ("smoke.max_wer", "2.55%", "smoke.max_wer"),
        ("smoke.max_wer", "-1%", "smoke.max_wer"),
        ("smoke.memory_limit", "much", "smoke.memory_limit"),
        ("smoke.memory_limit", "99999999999 GiB", "smoke.memory_limit"),
        ("smoke.memory_limit", "1 KiB", "smoke.memory_limit"),
        ("requirements", 1, "requirements"),
        ("requirements.min_disk", "1 floppy", "requirements.min_disk"),
        ("io_schema", "/io.json", "io_schema"),
        ("telemetry_schema", nil, "telemetry_schema"),
        ("model_card", nil, "model_card"),
        ("files", ["../x"], "files[0]"),
        ("files", [1], "files[0]"),
        ("allow_operators", ["Conv"], "allow_operators[0]"),
        ("allow_operators", [1], "allow_operators[0]"),
        ("created", "2026-11-21T05:06:07Z", "created"),
    ]

    @Test(arguments: faults.indices)
    func `refuses a wrong field by its path`(index: Int) throws {
        let (path, value, field) = Self.faults[index]
        var sample = SampleBundle()
        sample.set(path, value)
        let error = try #require(throws: FieldError.self) { try sample.read() }
        #expect(error.path == field)
    }
}
