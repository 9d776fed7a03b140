import Glibc
import Speech
import SpeechRuntime

/// One smoke test in one process: decodes the packaged utterances, prints one JSON line.
///
/// It judges nothing and limits nothing: the parent process sets the limits, and judges how it ends.
@main enum FieldfareSmoke {
    private static func end(_ exit: SmokeExit, _ message: String) -> Never {
        let line = Array("fieldfare-smoke: \(message)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _exit(exit.rawValue)
    }

    /// Writes all of it, and ends the process as done.
    private static func print(_ bytes: [UInt8], to output: Int32) -> Never {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe write(output, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { end(.noOutput, "standard output: expected to write, could not") }
            rest = rest.dropFirst(count)
        }
        // The runtime's own tear-down has nothing to say any more.
        _exit(SmokeExit.done.rawValue)
    }

    private static func arguments() -> SmokeArguments {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.contains("--help") || words.contains("-h") {
            print(Array(SmokeArguments.usage.utf8), to: STDOUT_FILENO)
        }
        do {
            return try SmokeArguments(words)
        } catch {
            end(.usage, "expected its arguments, got \(error.found)\n\n\(SmokeArguments.usage)")
        }
    }

    private static func job(_ path: String) -> SmokeJob {
        do throws(InputError) {
            let bytes = try InputFile.read(path, limit: SmokeJob.byteLimit)
            do { return try SmokeJob(parsing: bytes) } catch { end(.badInput, "\(path): \(error)") }
        } catch {
            end(error.exit, error.message)
        }
    }

    private static func wave(_ path: String) -> Wave {
        do throws(InputError) {
            let bytes = try InputFile.read(path, limit: Wave.fileLimit)
            do { return try Wave(parsing: bytes) } catch { end(.badInput, "\(path): \(error)") }
        } catch {
            end(error.exit, error.message)
        }
    }

    private static func library(_ arguments: SmokeArguments) -> SpeechLibrary {
        let environment = unsafe getenv(RuntimeFolder.variable).map { unsafe String(cString: $0) }
        do {
            let folder = try RuntimeFolder.find(
                RuntimeFolder.candidates(
                    named: arguments.runtime, environment: environment,
                    program: RuntimeFolder.programPath()))
            return try SpeechLibrary(folder: folder)
        } catch {
            end(.noRuntime, "\(error)")
        }
    }

    static func main() {
        ProcessSetup.resetSignals()
        ProcessSetup.closeInherited()
        let arguments = Self.arguments()
        let output = ProcessSetup.reserveOutput()
        guard output >= 0 else {
            end(.noOutput, "standard output: expected it open, got it closed")
        }
        let job = Self.job(arguments.suite)
        let waves = job.suite.utterances.map { wave("\(arguments.bundle)/\($0.wav)") }
        let started = Stopwatch.wallMicroseconds()
        let library = Self.library(arguments)
        let opened = Stopwatch.wallMicroseconds() - started
        OutOfMemoryAnswer.install(descriptor: output)
        do {
            let figures = try SmokeTest.run(
                job, waves: waves, library: library, folder: arguments.bundle,
                repeats: arguments.repeats, openMicroseconds: opened)
            print(SmokeResult.complete(figures).line, to: output)
        } catch SpeechRuntimeError.nullCreate {
            print(SmokeResult.nullCreate.line, to: output)
        } catch {
            end(.noRuntime, "\(error)")
        }
    }
}
