import Cryptography
import Glibc
import Primitives
import TUF
import TestSupport
import Testing

/// python-tuf, the reference client, against what our builders write.
///
@Suite(Python.needed)
struct PythonTUFTests {
    /// Far in the future: python-tuf reads the real clock, and nothing may expire by it.
    static let now = UTCTime(clamping: 3_800_000_000)

    @Test func `python-tuf follows our repository, and refuses it with one bit changed`() throws {
        let simulator = RepositorySimulator(models: ["commands-en", "commands-de"], now: Self.now)
        let model = try #require(ModelName("commands-en"))
        let number = try #require(SemanticVersion("1.0.0"))
        let name = try #require(AttributeName("standard"))
        let files: [(TargetPath, RoleName)] = [
            (.manifest(of: model, number), .model(model)),
            (.policy(of: model, number, name: name), .model(model)),
            (.plan(of: model, .main), .plans(model)),
        ]
        simulator.edit { repository in
            repository.listsDigests = true
            repository.rotateKey(of: .timestamp, to: TestKeys.key("timestamp, new"))
            for (path, role) in files {
                repository.add(Array(path.description.utf8), at: path, to: role)
            }
            repository.update(.model(model))
            repository.update(.plans(model))
        }
        let folder = ScratchFolder("interop")
        simulator.repository.dump(to: folder.path)
        let output = try Python.run(
            "verify_repository.py", [folder.path] + files.map(\.0.description))
        let json = try JSON(parsing: output, limit: 100_000)
        for (path, _) in files {
            let digest = SHA256.digest(of: Array(path.description.utf8)).hex
            #expect(json["targets"]?[path.description]?.string == digest)
        }
        // 2.root, timestamp, snapshot, targets, two delegated roles, three targets.
        #expect(json["files"] == 9)
        #expect(json["refused"] == 9)
    }
}

/// The Python of the environment, and the scripts beside this file.
enum Python {
    enum Failure: Error {
        case noPython(hint: String)
        case exit(status: Int32)
    }

    private static let hint = "set FIELDFARE_PYTHON to a Python with python-tuf"

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// `make test` sets `FIELDFARE_INTEROP=required`: what a test needs is there then, or the test fails.
    static var isRequired: Bool { variable("FIELDFARE_INTEROP") == "required" }

    /// For the suites here: without `FIELDFARE_PYTHON`, a Python that has `python/requirements.txt` installed, they
    /// are skipped, unless they are required.
    static var needed: ConditionTrait {
        .enabled(if: variable("FIELDFARE_PYTHON") != nil || isRequired, "\(hint)")
    }

    /// The standard output of a script that must exit with 0; its standard error goes to ours.
    static func run(
        _ script: String, _ arguments: [String], file: String = #filePath
    ) throws -> [UInt8] {
        guard let path = variable("FIELDFARE_PYTHON") else { throw Failure.noPython(hint: hint) }
        let folder = file.split(separator: "/").dropLast().joined(separator: "/")
        let words = [path, "/\(folder)/python/\(script)"] + arguments
        let command = words.map { "'\($0)'" }.joined(separator: " ")
        guard let pipe = unsafe popen(command, "r") else { throw Failure.exit(status: -1) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = unsafe fread(&buffer, 1, buffer.count, pipe), count > 0 {
            output += buffer.prefix(count)
        }
        let status = unsafe pclose(pipe)
        guard status == 0 else { throw Failure.exit(status: status) }
        return output
    }
}
