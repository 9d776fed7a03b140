import ArgumentParser
import Glibc
import Primitives

/// An error on its way to the terminal: one line, a hint, and an exit code (`docs/cli.md`).
struct Failure: Error, CustomStringConvertible {
    enum Kind: Int32 {
        case failed = 1
        case usage = 2
        case busy = 11
    }

    let kind: Kind
    let text: String
    let hint: String?

    init(_ kind: Kind, _ text: String, hint: String? = nil) {
        self.kind = kind
        self.text = text
        self.hint = hint
    }

    var description: String { hint.map { "\(text)\nhint: \($0)" } ?? text }

    /// Says what it was about, where something fails.
    static func catching<Value: ~Copyable>(
        _ thing: String, _ work: () throws -> Value
    ) throws -> Value {
        do {
            return try work()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.failed, "\(thing): \(error)")
        }
    }

    /// Says what it was about, where something fails later.
    static func catching<Value>(
        _ thing: String, _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.failed, "\(thing): \(error)")
        }
    }

    /// Tells it on standard error, and gives the exit code.
    func tell() -> ExitCode {
        let line = Array("fieldfare-registry: \(description)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
        return ExitCode(kind.rawValue)
    }
}

/// Standard output: one JSON object a line.
enum StandardOutput {
    static func write(_ json: JSON) {
        let line = json.bytes + [0x0A]
        _ = unsafe Glibc.write(STDOUT_FILENO, line, line.count)
    }
}
