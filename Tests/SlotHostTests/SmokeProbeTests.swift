import AgentCore
import Glibc
import PosixFiles
import Primitives
import Speech
import Synchronization
import TestSupport
import Testing

@testable import SlotHost

/// Smoke tests of staged bundles: by scripts in the program's place, and by the real program with the real runtime.
struct SmokeProbeTests {
    private let disk = Disk()
    private let deviceClass = AttributeName("test")

    private func staged(_ bundle: MemoryBundle) throws -> SlotFolder {
        let slots = try disk.open()
        _ = try slots.stage(
            bundle.target, into: .a, from: MemorySource([bundle]), until: Interrupt())
        return slots
    }

    private func probe(
        _ slots: SlotFolder, program: String, stop: Interrupt = Interrupt()
    ) throws -> (SmokeVerdict, ChildRun?) {
        let heard = Mutex<ChildRun?>(nil)
        let probe = SmokeProbe(
            slots: slots, program: program, runtime: nil,
            onRun: { _, run in heard.withLock { $0 = run } })
        let verdict = try probe.probe(.a, deviceClass: #require(deviceClass), until: stop)
        return (verdict, heard.withLock { $0 })
    }

    // MARK: Scripts in the program's place

    static let scripts: [(script: String, reason: String, isLasting: Bool?)] = [
        // Whether a busy loop had the CPU for itself is for the other processes here to say.
        ("exit 255", "exit:255", true), ("exit 3", "exit:3", false),
        ("kill -ABRT $$", "signal:ABRT", true), ("kill -KILL $$", "signal:KILL", false),
        ("while :; do :; done", "timeout", nil), ("exec sleep 1000", "timeout", false),
        ("exit 0", "bad-output", true), ("echo garbage", "bad-output", true),
        ("head -c 2000000 /dev/zero", "bad-output", true),
        ("exec cat /dev/zero", "bad-output", true),
        (
            #"echo '{"schema":"fieldfare.smoke-result/1","failure":"memory"}'"#, "memory", false
        ),
    ]

    @Test(arguments: scripts.indices)
    func `fails whatever is not a whole result, with its reason`(index: Int) throws {
        let (script, reason, isLasting) = Self.scripts[index]
        let program = try write(script)
        let slots = try staged(try MemoryBundle("1.0.0", smoke: MemoryBundle.smoke(timeout: 1_000)))
        let (verdict, _) = try probe(slots, program: program)
        guard case .failed(let failure, _) = verdict else {
            Issue.record("passed")
            return
        }
        #expect(failure.reason.description == reason)
        if let isLasting { #expect(failure.isLasting == isLasting) }
        #expect(try !disk.names().contains("smoke.tmp"))
    }

    @Test func `tells the program what to test, and gives it a private folder`() throws {
        let program = try write(#"echo "$@" >&2; pwd >&2; echo $TMPDIR >&2; ls -la >&2"#)
        let slots = try staged(try MemoryBundle("1.0.0"))
        let run = try #require(try probe(slots, program: program).1)
        let lines = String(decoding: run.complaints, as: UTF8.self).split(separator: "\n")
        let folder = disk.scratch.path
        #expect(lines[0] == "--bundle \(folder)/a --suite \(folder)/a/manifest.json")
        #expect(lines[1] == "\(folder)/smoke.tmp" && lines[2] == lines[1])
        #expect(lines[4].hasPrefix("drwx------"))
        #expect(lines.count == 6)
    }

    @Test func `tests nothing in a slot without a bundle, and nothing when it is to stop`() throws {
        let slots = try disk.open()
        #expect(throws: ProbeError.noBundle(.a)) { try probe(slots, program: "/bin/true") }
        let staged = try staged(try MemoryBundle("1.0.0"))
        let stop = Interrupt()
        stop.set()
        #expect(throws: ProbeError.interrupted) {
            try probe(staged, program: "/bin/true", stop: stop)
        }
        #expect(throws: ProbeError.cannotStart(operation: "execve", errno: ENOENT)) {
            try probe(staged, program: "/nowhere/fieldfare-smoke")
        }
    }

    // MARK: The real program

    static let models: [(model: String, tokens: String, reason: String)] = [
        ("asr/models/good", "asr/models/tokens.txt", "passed"),
        ("asr/models/better", "asr/models/tokens.txt", "passed"),
        ("asr/models/degraded", "asr/models/tokens.txt", "wer"),
        ("asr/models/better", "asr/models/permuted/tokens.txt", "wer"),
        ("asr/models/hanging", "asr/models/tokens.txt", "timeout"),
    ]

    @Test(arguments: models.indices)
    func `judges the project's own models, staged and run in the child`(index: Int) throws {
        let (model, tokens, reason) = Self.models[index]
        let words = try #require(
            RepositoryFiles.json("fixtures/asr/utterances/utterances.json")?.array)
        var files: [String: [UInt8]?] = [
            "model.onnx": RepositoryFiles.bytes("fixtures/\(model)/model.onnx"),
            "tokens.txt": RepositoryFiles.bytes("fixtures/\(tokens)"),
        ]
        var utterances: [JSON] = []
        for entry in words {
            let name = try #require(entry["wav"]?.string)
            files["utterances/\(name)"] = RepositoryFiles.bytes("fixtures/asr/utterances/\(name)")
            utterances.append([
                "wav": .string("utterances/\(name)"), "locale": "en-GB",
                "transcript": try #require(entry["transcript"]),
            ])
        }
        #expect(utterances.count == 5)
        let smoke = Self.smoke(utterances, timeout: reason == "timeout" ? 3_000 : 60_000)
        let bundle = try MemoryBundle("1.0.0", files, smoke: smoke, alter: Self.real)
        let (verdict, run) = try probe(try staged(bundle), program: try Self.program())
        switch verdict {
        case .passed(let measured):
            #expect(reason == "passed")
            #expect(measured.wordErrorRate.edits == 0)
            #expect(measured.cpuMicroseconds > 0 && measured.peakResidentBytes < 512 << 20)
        case .failed(let failure, _):
            #expect(
                failure.reason.description == reason,
                "\(String(decoding: run?.complaints ?? [], as: UTF8.self))")
            if reason != "timeout" { #expect(failure.isLasting) }
        }
        #expect(run?.isolation.hasFilter == true)
    }

    static let hostile: [(name: String, reason: String)] = [
        ("toy", "passed"), ("truncated-50", "null-create"), ("metadata-none", "exit:255"),
        ("subsampling-zero", "signal:FPE"), ("input-one", "signal:ABRT"),
        ("loop-endless", "timeout"), ("weights-nan", "wer"), ("memory-bomb", "memory"),
    ]

    @Test(arguments: hostile.indices)
    func `survives models that crash, hang, exit and eat memory`(index: Int) throws {
        let (name, reason) = Self.hostile[index]
        let files: [String: [UInt8]?] = [
            "model.onnx": RepositoryFiles.bytes("fixtures/asr/hostile/models/\(name).onnx"),
            "tokens.txt": RepositoryFiles.bytes("fixtures/asr/hostile/tokens/toy.txt"),
            "utterances/a.wav": RepositoryFiles.bytes("fixtures/asr/hostile/wavs/tones.wav"),
        ]
        let utterance: JSON = [
            "wav": "utterances/a.wav", "transcript": "low high mid low mid high", "locale": "en-GB",
        ]
        let smoke = Self.smoke([utterance], timeout: reason == "timeout" ? 2_000 : 60_000)
        let bundle = try MemoryBundle("1.0.0", files, smoke: smoke, alter: Self.real)
        let (verdict, run) = try probe(try staged(bundle), program: try Self.program())
        switch verdict {
        case .passed: #expect(reason == "passed")
        case .failed(let failure, _):
            #expect(
                failure.reason.description == reason,
                "\(String(decoding: run?.complaints ?? [], as: UTF8.self))")
        }
    }

    private static func real(_ fields: inout JSONObject) {
        fields["runtime"] = [
            "engine": "sherpa-onnx", "min_version": "2.0.1", "family": "nemo_ctc",
            "model": "model.onnx", "tokens": "tokens.txt",
            "features": [
                "sample_rate": 16000, "bins": 80, "normalize": "per_feature", "subsampling": 2,
            ],
        ]
    }

    private static func smoke(_ utterances: [JSON], timeout: Int64) -> JSON {
        [
            "utterances": .array(utterances), "max_wer": 0,
            "max_cpu_ms_per_audio_s": ["default": 1000], "timeout_ms": .integer(timeout),
            "memory_limit": .integer(512 << 20),
        ]
    }

    /// The `fieldfare-smoke` that was built together with these tests, or what `FIELDFARE_SMOKE` names: the program of a
    /// sanitizer's build has no room for its shadow memory under the limits of a smoke test.
    private static func program() throws -> String {
        if let other = unsafe getenv("FIELDFARE_SMOKE") { return unsafe String(cString: other) }
        var buffer = [CChar](repeating: 0, count: 4_096)
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(
            decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path =
            "/" + own.split(separator: "/").dropLast().joined(separator: "/") + "/fieldfare-smoke"
        try #require(unsafe access(path, X_OK) == 0, "\(path)")
        return path
    }

    /// Makes an executable script, by a shell: a descriptor of ours, open for writing, could be in a child of
    /// another test when the script is to be executed, which the kernel refuses.
    private func write(_ script: String) throws -> String {
        let child = try LimitedChild(
            [
                "/bin/sh", "-c", #"printf '%s' "$1" > program.sh && chmod 755 program.sh"#, "sh",
                "#!/bin/sh\n\(script)\n",
            ], environment: ["PATH=/usr/bin:/bin"], in: disk.scratch.path,
            limits: ChildLimits(
                addressSpace: 1 << 28, cpuSeconds: 10, wallMilliseconds: 20_000, outputBytes: 100))
        try #require(try child.run(until: Interrupt()).ending == .exited(0))
        return disk.scratch.path + "/program.sh"
    }
}
