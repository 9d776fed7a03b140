import Glibc
import Primitives
import SlotHost
import Speech
import TestSupport
import Testing

/// The C library as others use it: from C, from C++ and from Python, with an agent and without.
///
/// It is the one that was built with the tests, or the shipped one where `FIELDFARE_LIBRARY` names it.
struct LibraryTests {
    private let device: DeviceWithModels
    /// The repository.
    private static let repository =
        "/"
        + #filePath.split(separator: "/").dropLast(3).joined(
            separator: "/")

    init() throws { device = try DeviceWithModels() }

    private static func library() throws -> String {
        if let named = unsafe getenv("FIELDFARE_LIBRARY") { return unsafe String(cString: named) }
        return try ChildProcess.program("libfieldfare-c.so")
    }

    /// Compiles a source with all warnings as errors, and links it to the library.
    private func compile(
        _ source: String, _ compiler: [String] = ["cc", "-std=c11"]
    ) throws -> String {
        let program = device.scratch.path("program")
        let library = try Self.library()
        let child = try ChildProcess(
            ["/usr/bin/env"] + compiler + [
                "-Wall", "-Wextra", "-Werror", "-I",
                Self.repository + "/Sources/CFieldfare/include",
                source, library,
                "-Wl,-rpath,/" + library.split(separator: "/").dropLast().joined(separator: "/"),
                "-o", program,
            ], environment: ["PATH=/usr/bin:/bin"])
        try #require(child.ending == .exited(0), "\(child.errors)")
        return program
    }

    private static let languages = [["cc", "-std=c11"], ["c++"], ["python"]]

    /// The words that run the example in a language.
    private func example(_ language: [String]) throws -> [String] {
        let examples = Self.repository + "/docs/examples"
        let arguments = [device.socket, device.slots]
        guard language != ["python"] else {
            return ["/usr/bin/python3", examples + "/python/lease.py", try Self.library()]
                + arguments
        }
        let source = device.scratch.path(language == ["c++"] ? "lease.cpp" : "lease.c")
        try #require(unsafe symlink(examples + "/c/lease.c", source) == 0)
        return [try compile(source, language)] + arguments
    }

    @Test(arguments: languages)
    func `the example follows the agent to another model, and ends with it`(
        language: [String]
    ) throws {
        let agent = try device.startAgent()
        let program = try RunningProgram(
            example(language), outputs: device.scratch.path("example"))
        let client = try AgentClient(connecting: device.socket)
        try device.wait(for: "1.1.0 to serve") {
            try client.request(["op": "status"])["serving"] == "1.1.0"
        }
        try client.request(["op": "rollback"])
        try device.wait(for: "1.0.0 to serve") {
            try client.request(["op": "status"])["serving"] == "1.0.0"
        }
        let leases = try client.request(["op": "status"])["leases"]
        #expect(leases == ["a": "held", "b": "free"])
        agent.terminate()
        try device.wait(for: "the agent's end") { agent.exitCode == 0 }
        try device.wait(for: "the example's end") { program.exitCode != nil }
        #expect(
            try device.read("example.out")
                == "loaded 1.1.0 from slot b\nloaded 1.0.0 from slot a\n")
        #expect(
            try device.read("example.err")
                == "agent: lost the agent: it closed the connection\n"
                + "hint: see the agent's log; then ask again\n")
        #expect(program.exitCode == (language == ["python"] ? 1 : 12))
    }

    @Test(arguments: languages)
    func `the example has the model without an agent`(language: [String]) throws {
        let words = try example(language)
        let child = try ChildProcess(words)
        #expect(child.ending == .exited(0))
        #expect(String(decoding: child.output, as: UTF8.self) == "loaded 1.1.0 from slot b\n")
        #expect(child.errors.hasPrefix("connect: cannot reach the agent: "))
        _ = unsafe unlink(device.slots + "/current")
        let without = try ChildProcess(words)
        #expect(without.ending == .exited(20))
        #expect(
            String(decoding: without.output, as: UTF8.self) == "no model: the cloud is asked\n")
    }

    @Test(arguments: [[], ["-fsanitize=address,undefined"]])
    func `every function answers as the header says`(options: [String]) throws {
        let agent = try device.startAgent()
        let source = Self.repository + "/Tests/FieldfareCTests/c/every_function.c"
        let program = try compile(source, ["cc", "-std=c11"] + options)
        let child = try ChildProcess(
            [program, device.socket, device.slots, device.scratch.path("agent.json")],
            environment: ["ASAN_OPTIONS=detect_leaks=0"])
        #expect(child.ending == .exited(0), "\(child.errors)")
        #expect(String(decoding: child.output, as: UTF8.self) == "40 of 40 as expected\n")
        withExtendedLifetime(agent) {}
    }
}
