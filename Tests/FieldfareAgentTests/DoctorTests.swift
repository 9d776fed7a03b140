import AgentCore
import AgentJournal
import Cryptography
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Speech
import TUF
import TestSupport
import Testing

@testable import FieldfareAgent

/// `fieldfare-agent doctor`: a device that has all it needs, and each thing broken on its own.
struct DoctorTests {
    private let device = AgentUnderTest()

    /// A registry of one test, in this process.
    private struct Registry: Fetching {
        let simulator = RepositorySimulator()

        func metadata(
            _ name: String, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8]? {
            let files = simulator.repository.files
            return files.first { "\($0.key)" == name }?.value
        }

        func target(
            _ path: TargetPath, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8] { throw .notFound }

        func blob(
            _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
            into sink: (RawSpan) -> Bool
        ) throws(FetchError) { throw .notFound }
    }

    /// A registry that nobody can reach.
    private struct Nowhere: Fetching {
        func metadata(
            _ name: String, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8]? { throw .unreachable("no connection") }

        func target(
            _ path: TargetPath, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8] { throw .notFound }

        func blob(
            _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
            into sink: (RawSpan) -> Bool
        ) throws(FetchError) { throw .notFound }
    }

    private func path(_ name: String) -> String { device.scratch.path(name) }

    /// A device with two slots, a key that is enrolled, a journal, a smoke program and a runtime.
    private func equip() throws {
        _ = try device.configuration()
        try device.stage()
        try #require(unsafe chmod(path("state"), 0o750) == 0)
        let state = try StateDirectory(path("state"))
        let id = try state.keys.key().deviceID
        try state.remember(enrolmentOf: id, at: "https://127.0.0.1:9")
        try journal(floor: UTCTime(clamping: 1_000))
        _ = try Directory(making: path("speech/lib"))
        try device.write([], to: path("speech/lib/libsherpa-onnx-c-api.so"))
        try smoke("#!/bin/sh\nexit 0\n")
    }

    private func journal(floor: UTCTime) throws {
        let journal = try Journal(in: Directory(opening: path("state")))
        var state = JournalState(observation: Observation(epoch: .epoch))
        state.trust.saw(timestampSignedAt: floor, by: SHA256.digest(of: []))
        try journal.save(state, queueing: [])
    }

    private func smoke(_ script: String) throws {
        try device.write(Array(script.utf8), to: path("smoke"))
        try #require(unsafe chmod(path("smoke"), 0o755) == 0)
    }

    private func settings(_ changes: [String: JSON] = [:]) throws -> AgentSettings {
        let text = try ConfiguredFile.read(device.configuration(), limit: 1 << 16)
        var fields = try #require(JSON(parsing: text, limit: 1 << 16).object)
        fields["smoke_program"] = .string(path("smoke"))
        fields["speech_runtime"] = .string(path("speech"))
        for (key, value) in changes { fields[key] = value }
        try device.write(JSON.object(fields).bytes, to: path("doctor.json"))
        return try Agent(configuration: path("doctor.json")).settings
    }

    private func findings(
        _ changes: [String: JSON] = [:], registry: any Fetching = Registry(),
        observer: (any SyscallObserving)? = nil
    ) throws -> [Finding] {
        Doctor(
            settings: try settings(changes), registry: registry,
            now: UTCTime(clamping: 1_800_000_000), observer: observer
        ).findings()
    }

    /// A disk that cannot do one thing to one name.
    private struct Without: SyscallObserving {
        let operation: FileOperation
        let suffix: String

        func verdict(on call: Syscall) -> SyscallVerdict {
            call.operation == operation && call.path.hasSuffix(suffix)
                ? .fail(errno: ENOSYS) : .proceed
        }
    }

    @Test(arguments: [FileOperation.mkdir, .reserve, .link, .lock, .symlink])
    func `finds a disk that cannot do what slots need`(operation: FileOperation) throws {
        try equip()
        let suffix = operation == .lock ? "doctor.tmp/b" : ""
        expect(
            "state_directory", "cannot \(operation.rawValue)",
            try findings(observer: Without(operation: operation, suffix: suffix)))
        #expect(!device.exists("state/doctor.tmp"))
        expect(
            "agent.lock", "cannot lock",
            try findings(observer: Without(operation: .lock, suffix: "agent.lock")))
    }

    /// Requires that one thing is bad, and nothing else.
    private func expect(
        _ name: String, _ got: String, _ found: [Finding],
        at location: SourceLocation = #_sourceLocation
    ) {
        let bad = found.filter { !$0.isGood }
        #expect(bad.map(\.name) == [name], "\(bad)", sourceLocation: location)
        #expect(bad.first?.got.contains(got) == true, "\(bad)", sourceLocation: location)
    }

    private static let names = [
        "ca_file", "trusted_root", "state_directory", "enrolment", "journal", "clock", "slots",
        "room", "registry", "smoke_program", "isolation", "speech_runtime", "socket",
    ]

    @Test func `finds nothing wrong where all is there, and changes nothing`() throws {
        try equip()
        let before = try Self.names(below: path("state"))
        let found = try findings()
        #expect(found.filter { !$0.isGood } == [])
        #expect(found.map(\.name) == Self.names)
        #expect(try Self.names(below: path("state")) == before)
    }

    private static func names(below folder: String) throws -> [String] {
        try Directory(opening: folder).list().map(\.name)
            .filter { !$0.hasPrefix("journal.db-") && $0 != "agent.lock" }.sorted()
    }

    @Test func `finds wrong settings`() throws {
        try equip()
        expect("ca_file", "cannot open", try findings(["ca_file": .string(path("none.pem"))]))
        expect(
            "speech_runtime", "no '", try findings(["speech_runtime": .string(path("none"))]))
        expect("smoke_program", "none", try findings(["smoke_program": .string(path("none"))]))
        expect(
            "socket", "nothing of that name",
            try findings(["socket": .string(path("none/none/agent.sock"))]))
        expect("registry", "plans.another", try findings(["model": "another"]))
        expect("registry", "no connection", try findings(registry: Nowhere()))
        try smoke("#!/bin/sh\nexit 3\n")
        expect("smoke_program", "exited(3)", try findings())
        try smoke("#!/bin/sh\nexit 0\n")
        // Where no root is held, none can be trusted either.
        try device.write([], to: path("root.json"))
        let settings = try settings()
        try device.write([], to: path("root.json"))
        let bad = Doctor(
            settings: settings, registry: Registry(), now: UTCTime(clamping: 1_800_000_000)
        ).findings().filter { !$0.isGood }
        #expect(bad.map(\.name) == ["trusted_root", "registry"])
    }

    @Test func `finds what is wrong with the state directory`() throws {
        let without = try findings(["smoke_program": "/bin/true"])
        #expect(without.first { $0.name == "state_directory" }?.isGood == false)
        try equip()
        try #require(unsafe chmod(path("state"), 0o770) == 0)
        expect("state_directory", "others may write", try findings())
        try #require(unsafe chmod(path("state"), 0o750) == 0)
        try #require(unsafe unlink(path("state/enrolment.json")) == 0)
        expect("enrolment", "no answer", try findings())
        try device.write(Array("garbage".utf8), to: path("state/device.key"))
        expect("enrolment", "the device's key", try findings())
        try #require(unsafe unlink(path("state/device.key")) == 0)
        expect("enrolment", "no key", try findings())
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func `finds a state directory of another user`() throws {
        try equip()
        try #require(unsafe chown(path("state"), OtherUser.number, 0) == 0)
        expect("state_directory", "of user \(OtherUser.number)", try findings())
    }

    @Test func `finds a damaged journal, and leaves it`() throws {
        try equip()
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            _ = unsafe unlink(path("state/\(name)"))
        }
        let garbage = [UInt8](repeating: 7, count: 8_192)
        try device.write(garbage, to: path("state/journal.db"))
        expect("journal", "not a database", try findings())
        #expect(!device.exists("state/journal.db.damaged"))
    }

    @Test func `finds a clock that is behind`() throws {
        try equip()
        try journal(floor: UTCTime(clamping: 1_800_000_001))
        expect("clock", "2027-01-15", try findings())
    }

    @Test func `finds slots that do not verify, and none that is active`() throws {
        try equip()
        try #require(unsafe unlink(path("state/slots/current")) == 0)
        expect("slots", "none", try findings())
        let file = path("state/slots/a/tokens.txt")
        try #require(unsafe chmod(file, 0o644) == 0)
        try device.write(Array("<blk> 1\n".utf8), to: file)
        expect("slots", "damage in slot a (1.0.0)", try findings())
        #expect(!device.exists("state/slots/a.damaged"))
    }

    @Test func `judges room and isolation`() {
        #expect(Doctor.room(for: 10, free: 10).isGood)
        #expect(!Doctor.room(for: 11, free: 10).isGood)
        let filter = NetworkIsolation(hasNamespace: false, hasFilter: true)
        #expect(Doctor.isolation(filter).isGood)
        let none = NetworkIsolation(hasNamespace: false, hasFilter: false)
        #expect(!Doctor.isolation(none).isGood)
    }

    // MARK: Beside an agent

    @Test func `asks the agent that runs, and says where it does not answer`() throws {
        _ = try device.configuration()
        let state = try StateDirectory(path("state"))
        let lock = try state.lock()
        let held = lock != nil
        #expect(held)
        var found = try findings()
        #expect(found.first { $0.name == "agent" }?.isGood == false)
        _ = consume lock
        try device.start()
        defer { device.stop() }
        found = try findings()
        #expect(found.first { $0.name == "agent" }?.isGood == true)
        #expect(found.first { $0.name == "slots" }?.got == "none")
        #expect(found.first { $0.name == "slots" }?.isGood == false)
        #expect(found.first { $0.name == "socket" }?.got.contains("an agent listens") == true)
    }

    @Test func `believes what the agent says of itself`() throws {
        let doctor = Doctor(
            settings: try settings(), registry: Nowhere(), now: UTCTime(clamping: 1_000))
        let good: JSONObject = [
            "state": "idle", "cloud_only": false, "active": ["version": "1.0.0"], "metadata": [:],
        ]
        #expect(doctor.told(by: .object(good)).filter { !$0.isGood } == [])
        for (key, value, name) in [
            ("cloud_only", true, "slots"), ("journal_error", "full", "journal"),
            ("metadata", ["timestamp_signed": "2026-01-01T00:00:00Z"], "clock"),
        ] as [(String, JSON, String)] {
            var fields = good
            fields[key] = value
            let bad = doctor.told(by: .object(fields)).filter { !$0.isGood }
            #expect(bad.map(\.name) == [name])
        }
    }

    // MARK: The program

    @Test func `prints findings for people and programs, and ends with a code`() throws {
        let program = try ChildProcess.program("fieldfare-agent")
        let configuration = try device.configuration()
        let text = try ChildProcess([program, "doctor", "--config", configuration])
        #expect(text.ending == .exited(1))
        let lines = String(decoding: text.output, as: UTF8.self)
        #expect(lines.hasPrefix("good  configuration   \(configuration)\n"))
        #expect(lines.contains("\nBAD   state_directory expected a folder of this user's"))
        #expect(lines.contains("\n      hint: "))
        let json = try ChildProcess([program, "doctor", "--json", "--config", configuration])
        #expect(json.ending == .exited(1))
        let answer = try JSON(parsing: json.output.dropLast().map { $0 }, limit: 1 << 16)
        #expect(answer["type"] == "doctor" && answer["ok"] == false)
        #expect(answer["findings"]?.array?.first?["name"] == "configuration")
        let none = try ChildProcess([program, "doctor", "--config", path("none.json")])
        #expect(none.ending == .exited(1))
        #expect(
            String(decoding: none.output, as: UTF8.self).hasPrefix(
                "BAD   configuration   expected a configuration that can be used, got "))
        #expect(!device.exists("state"))
    }
}
