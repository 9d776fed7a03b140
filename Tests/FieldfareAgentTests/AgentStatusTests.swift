import AgentCore
import Cryptography
import FieldfareAgent
import ModelBundle
import Primitives
import Rollouts
import TUF
import Telemetry
import TestSupport
import Testing

/// What `status` says of an agent over memory ports.
struct AgentStatusTests {
    private static let now = UTCTime(clamping: 1_800_000_000)

    /// The files of a repository, and no targets.
    private struct Files: Fetching {
        let files: [MetadataFileName: [UInt8]]

        func metadata(
            _ name: String, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8]? {
            files.first { $0.key.description == name }?.value
        }

        func target(
            _ path: TargetPath, limit: Int, until stop: Interrupt
        ) throws(FetchError) -> [UInt8] {
            throw .notFound
        }

        func blob(
            _ digest: SHA256Digest, range: Range<Int64>, until stop: Interrupt,
            into sink: (RawSpan) -> Bool
        ) throws(FetchError) {
            throw .notFound
        }
    }

    private struct NoCache: TargetCaching {
        func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? { nil }
        func keep(_ bytes: [UInt8], as digest: SHA256Digest) {}
        func retain(only digests: Set<SHA256Digest>) {}
    }

    private struct Machine: Surroundings {
        func conditions() -> Conditions { Conditions() }
        func hardware() -> DeviceFacts.Hardware {
            DeviceFacts.Hardware(architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30)
        }

        func environment() -> DeviceEnvironment { DeviceEnvironment() }
    }

    /// The metadata part of the status after one poll of a repository that knows `commands-en`.
    private func metadata(model: String) throws -> JSON {
        let simulator = RepositorySimulator(now: Self.now)
        let key = TestKeys.key("device")
        let parts = DriverParts(
            journal: MemoryJournal(), slots: MemorySlots(), surroundings: Machine(), key: key,
            random: SeededGenerator(seed: 7))
        let profile = DeviceProfile(
            id: key.deviceID,
            model: try #require(ModelName(model)), channel: .main,
            attributes: DeviceAttributes(
                number: 1, region: try #require(AttributeName("eu")),
                deviceClass: try #require(AttributeName("hub")),
                locale: try #require(AttributeName("en-GB"))),
            agent: try #require(SemanticVersion("0.1.0")))
        let driver = try AgentDriver(
            parts, profile: profile, settings: DriverSettings(), isEnrolled: true, at: Self.now)
        try driver.start(at: Self.now)
        driver.tick(at: Self.now)
        let store = MemoryMetadataStore(files: [MetadataFileName(.root): simulator.trustedRoot])
        let cycle = PollCycle(
            fetching: Files(files: simulator.repository.files), store: store, cache: NoCache(),
            stop: Interrupt())
        for case .start(let ticket, .poll(let question), _) in driver.takeOrders() {
            let material = try cycle.run(question)
            driver.finish(ticket, .polled(.success(material)), at: Self.now)
        }
        return try #require(AgentStatus(of: driver, slots: nil).json["metadata"])
    }

    @Test func `says that nobody is to sign plans of the model`() throws {
        let metadata = try metadata(model: "commands-de")
        #expect(metadata["last_poll"] == .string(Self.now.description))
        #expect(
            metadata["missing"]
                == .string(
                    "role plans.commands-de: expected the repository to delegate it, got none of that name "
                        + "yet; hint: see whether 'model' is right"))
    }

    @Test func `says nothing of it where somebody is`() throws {
        let metadata = try metadata(model: "commands-en")
        #expect(metadata["last_poll"] == .string(Self.now.description))
        #expect(metadata["missing"] == nil)
    }
}
