import Primitives
import Speech
import SpeechRuntime
import TestSupport
import Testing

/// The built `fieldfare-smoke`, as its caller sees it.
struct SmokeProgramTests {
    private var bundle: String { RepositoryFiles.path(HostileBundleTests.folder) }

    private func toy(_ model: String = "models/toy.onnx") -> JSON {
        RuntimeUnderTest.job(
            model: model, tokens: "tokens/toy.txt",
            wavs: [("wavs/tones.wav", "low high mid low mid high"), ("wavs/zeros.wav", "")])
    }

    @Test func `prints one line with the figures of each utterance`() throws {
        let child = try RuntimeUnderTest.smoke(toy(), bundle: bundle)
        #expect(child.ending == .exited(0))
        #expect(child.output.filter { $0 == 0x0A }.count == 1)
        #expect(child.output.last == 0x0A)
        guard case .complete(let figures) = try SmokeResult(parsing: child.output) else {
            Issue.record("expected figures")
            return
        }
        #expect(figures.runtimeVersion == "2.0.1")
        #expect(figures.repeats == 5)
        #expect(figures.utterances.map(\.wav.description) == ["wavs/tones.wav", "wavs/zeros.wav"])
        #expect(figures.utterances.map(\.transcript) == ["low high mid low mid high", ""])
        #expect(figures.utterances.map(\.audioMilliseconds) == [1_290, 500])
        for utterance in figures.utterances {
            #expect(utterance.cpuMicroseconds > 0)
            #expect(utterance.wallP50Microseconds <= utterance.wallP95Microseconds)
            #expect(utterance.wallP50Microseconds > 0)
        }
        #expect(figures.parts.load > 0)
        #expect(figures.parts.open > 0)
        #expect(figures.parts.decode > 0)
        #expect(figures.peakResidentBytes > 8 << 20)
    }

    @Test func `tells the memory of its own, not what its parent had`() throws {
        // The kernel's `ru_maxrss` of a program starts at what its process had before it: a copy of its parent.
        let large = [UInt8](repeating: 1, count: 300 << 20)
        let child = try RuntimeUnderTest.smoke(toy("models/toy.onnx"), bundle: bundle)
        guard case .complete(let figures) = try SmokeResult(parsing: child.output) else {
            Issue.record("expected figures; it printed \(child.errors)")
            return
        }
        #expect(large.last == 1)
        #expect((8 << 20..<200 << 20).contains(figures.peakResidentBytes))
    }

    @Test func `keeps the runtime's complaints off standard output`() throws {
        let child = try RuntimeUnderTest.smoke(toy("models/random.onnx"), bundle: bundle)
        #expect(child.ending == .exited(0))
        #expect(try SmokeResult(parsing: child.output) == .nullCreate)
        #expect(child.errors.contains("Protobuf parsing failed"))
    }

    @Test func `keeps standard output for its line, whatever a library prints there`() throws {
        let noisy = try FakeLibrary.compiled(
            version: "2.0.1", create: "printf(\"noise\\n\"); fflush(stdout);")
        let scratch = ScratchFolder("suite")
        try RuntimeUnderTest.write(toy().bytes, to: scratch.path("suite.json"))
        let child = try run([
            "--bundle", bundle, "--suite", scratch.path("suite.json"), "--runtime", noisy.path,
        ])
        #expect(child.ending == .exited(0))
        #expect(child.output == SmokeResult.nullCreate.line)
        #expect(child.errors == "noise\n")
    }

    private func run(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess([try RuntimeUnderTest.smokeProgram()] + arguments)
    }

    static let usage: [([String], String)] = [
        ([], "no '--bundle'"),
        (["--bundle", "b"], "no '--suite'"),
        (["--bundle"], "'--bundle' without a value"),
        (["--bundle", ""], "'--bundle' without a value"),
        (["--bundle", "b", "--bundle", "c"], "'--bundle' twice"),
        (["--verbose"], "unknown '--verbose'"),
        (["--repeats", "0"], "'0' as the number of repeats"),
        (["--repeats", "many"], "'many' as the number of repeats"),
    ]

    @Test(arguments: usage.indices)
    func `answers wrong arguments with the usage and exit code 2`(index: Int) throws {
        let (arguments, found) = Self.usage[index]
        let child = try run(arguments)
        #expect(child.ending == .exited(2))
        #expect(child.output == [])
        #expect(
            child.errors.hasPrefix(
                "fieldfare-smoke: expected its arguments, got \(found)\n\nusage:"))
    }

    @Test(arguments: [["--help"], ["-h"], ["--bundle", "b", "--help"]])
    func `help says what it reads, what it prints and how it ends`(arguments: [String]) throws {
        let child = try run(arguments)
        #expect(child.ending == .exited(0))
        #expect(child.errors.isEmpty)
        let help = String(decoding: child.output, as: UTF8.self)
        #expect(help.hasPrefix("usage: fieldfare-smoke --bundle DIR --suite FILE"))
        for text in [
            "\nReads:\n  --bundle DIR ", "  --suite FILE ", "  --runtime DIR ", "  --repeats N ",
            "\nPrints:\n  One line of JSON to standard output", "transcript", "CPU time",
            "docs/formats/smoke-result.md",
        ] {
            #expect(help.contains(text), "\(text)")
        }
        // The exit codes are those of the page.
        let page = try #require(RepositoryFiles.bytes("docs/formats/smoke-result.md"))
        let table = String(decoding: page, as: UTF8.self).matches(of: /\n\| (\d) \|/)
        let told = help.matches(of: /\nExit codes: 0 |[,\n] ?([2-9]) [a-z]/)
        #expect(table.map(\.1) == ["0", "2", "3", "4", "5", "6"])
        #expect(told.map { $0.1 ?? "0" } == table.map(\.1))
    }

    @Test func `tells a suite that is wrong from one that cannot be read`() throws {
        let scratch = ScratchFolder("suite")
        try RuntimeUnderTest.write(Array("{}".utf8), to: scratch.path("suite.json"))
        let wrong = try run(["--bundle", bundle, "--suite", scratch.path("suite.json")])
        #expect(wrong.ending == .exited(4))
        #expect(
            wrong.errors.contains("suite.json: field 'runtime': expected an object, got nothing"))
        let missing = try run(["--bundle", bundle, "--suite", scratch.path("none.json")])
        #expect(missing.ending == .exited(5))
        #expect(missing.errors.contains("none.json: expected a file to read, got: No such file"))
        let folder = try run(["--bundle", bundle, "--suite", scratch.path])
        #expect(folder.ending == .exited(5))
        let long = [UInt8](repeating: 0x20, count: SmokeJob.byteLimit + 1)
        try RuntimeUnderTest.write(long, to: scratch.path("long.json"))
        let tooLong = try run(["--bundle", bundle, "--suite", scratch.path("long.json")])
        #expect(tooLong.ending == .exited(4))
        #expect(tooLong.errors.contains("expected at most 1048576 bytes, got more"))
    }

    @Test func `says where it looked for the runtime, with exit code 3`() throws {
        let scratch = ScratchFolder("suite")
        try RuntimeUnderTest.write(toy().bytes, to: scratch.path("suite.json"))
        let arguments = ["--bundle", bundle, "--suite", scratch.path("suite.json")]
        let named = try run(arguments + ["--runtime", "/nowhere"])
        #expect(named.ending == .exited(3))
        #expect(named.errors.contains("below one of /nowhere, got none\nhint: make setup"))
        let program = try RuntimeUnderTest.smokeProgram()
        let variable = try ChildProcess(
            [program] + arguments, environment: ["\(RuntimeFolder.variable)=/elsewhere"])
        #expect(variable.ending == .exited(3))
        #expect(variable.errors.contains("below one of /elsewhere, got none"))
    }

    @Test func `does not load a bundle that needs a newer runtime`() throws {
        let job = toy().setting("runtime", "min_version", "2.1.0")
        let child = try RuntimeUnderTest.smoke(job, bundle: bundle)
        #expect(child.ending == .exited(3))
        #expect(child.errors.contains("expected version 2.1.0 or newer, got 2.0.1"))
    }

    @Test func `fails where its line cannot be written`() throws {
        let full = try RuntimeUnderTest.smoke(toy(), bundle: bundle, script: ">/dev/full")
        #expect(full.ending == .exited(6))
        let closed = try RuntimeUnderTest.smoke(toy(), bundle: bundle, script: ">&-")
        #expect(closed.ending == .exited(6))
    }

    @Test func `holds no descriptor that it inherited`() throws {
        // The endless model keeps the process alive, so that cat's input can only end by a close.
        let scratch = ScratchFolder("suite")
        try RuntimeUnderTest.write(
            toy("models/loop-endless.onnx").bytes, to: scratch.path("suite.json"))
        let script = """
            ulimit -t 20; pid=$1; shift
            ( "$@" 7>&1 >/dev/null 2>&1 & echo $! >"$pid" ) | cat
            kill -9 "$(cat "$pid")" && echo closed
            """
        let child = try ChildProcess(
            [
                "/bin/sh", "-c", script, "sh", scratch.path("pid"),
                try RuntimeUnderTest.smokeProgram(), "--bundle", bundle, "--suite",
                scratch.path("suite.json"), "--runtime", try RuntimeUnderTest.folder(),
            ], environment: ["PATH=/usr/bin:/bin"], timeout: 15_000)
        #expect(child.ending == .exited(0), "\(child.errors)")
        #expect(String(decoding: child.output, as: UTF8.self) == "closed\n")
    }
}

extension JSON {
    /// The document with another value in an inner object.
    fileprivate func setting(_ outer: String, _ inner: String, _ value: JSON) -> JSON {
        var fields = object ?? [:]
        var nested = fields[outer]?.object ?? [:]
        nested[inner] = value
        fields[outer] = .object(nested)
        return .object(fields)
    }
}
