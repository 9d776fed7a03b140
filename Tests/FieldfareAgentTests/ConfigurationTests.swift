import AgentCore
import FieldfareAgent
import Glibc
import Primitives
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    private let folder = ScratchFolder("configuration")

    private static let least =
        #"{"registry":"https://r.example:8443/","model":"commands-en","region":"eu","device_class":"hub","locale":"en-GB"}"#

    private func write(_ text: String, to name: String) throws {
        let file = unsafe try #require(fopen(folder.path(name), "w"))
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
    }

    private func settings() throws -> AgentSettings {
        try AgentSettings(MergedConfiguration.reading(folder.path("agent.json")))
    }

    @Test func `fills in the defaults`() throws {
        try write(Self.least, to: "agent.json")
        let settings = try settings()
        #expect(settings.registry == "https://r.example:8443")
        #expect(settings.channel == .main && settings.labels == [])
        #expect(settings.driver.pollInterval == 900 && settings.driver.reportInterval == 3_600)
        #expect(settings.microphone == nil)
        #expect(settings.connections == 2)
        #expect(settings.stateDirectory == "/var/lib/fieldfare-agent")
    }

    @Test func `drop-ins beside the file replace its values, the last name last`() throws {
        try write(Self.least, to: "agent.json")
        #expect(unsafe mkdir(folder.path("agent.d"), 0o755) == 0)
        try write(#"{"poll_interval_s":5,"region":"us"}"#, to: "agent.d/10-site.json")
        try write(
            #"{"poll_interval_s":7,"microphone":"array-4","connections":5}"#,
            to: "agent.d/20-lab.json")
        try write("not read", to: "agent.d/readme.txt")
        let merged = try MergedConfiguration.reading(folder.path("agent.json"))
        #expect(try AgentSettings(merged).driver.pollInterval == 7)
        #expect(try AgentSettings(merged).microphone?.description == "array-4")
        #expect(try AgentSettings(merged).connections == 5)
        let fields = merged.json["fields"]
        #expect(fields?["microphone"]?["value"] == "array-4")
        #expect(fields?["poll_interval_s"]?["source"]?.string?.hasSuffix("20-lab.json") == true)
        #expect(fields?["region"]?["value"] == "us")
        #expect(fields?["region"]?["source"]?.string?.hasSuffix("10-site.json") == true)
        #expect(fields?["model"]?["source"]?.string?.hasSuffix("agent.json") == true)
        #expect(fields?["channel"]?["source"] == "default")
    }

    @Test(arguments: [
        (
            #"{"pol_interval_s":5}"#,
            "field 'pol_interval_s': expected a field of this schema, got an unknown one"
        ),
        (#"{"poll_interval_s":0}"#, "field 'poll_interval_s': expected 1 to 604800, got 0"),
        (#"{"connections":0}"#, "field 'connections': expected 1 to 8, got 0"),
        (#"{"connections":9}"#, "field 'connections': expected 1 to 8, got 9"),
        (
            #"{"socket":"agent.sock"}"#,
            "field 'socket': expected an absolute path of at most 1024 bytes, got 'agent.sock'"
        ),
        (
            #"{"microphone":"array 4"}"#,
            "field 'microphone': expected \(AttributeName.expected), got 'array 4'"
        ),
        (
            #"{"conditions":"wifi"}"#,
            "field 'conditions': expected \(ConditionSource.expected), got 'wifi'"
        ),
        (
            #"{"download_windows":[{"from":"25:00","until":"06:00"}]}"#,
            "field 'download_windows[0].from': expected a time of day such as '22:00', got '25:00'"
        ),
        (#"{"model":"targets"}"#, "field 'model': expected \(ModelName.expected), got 'targets'"),
        (
            #"{"region":"eu","region":"us"}"#,
            "JSON at byte 15: expected each key once, got 'region' again"
        ),
    ])
    func `refuses what it does not know or cannot use, and names the file`(
        text: String, message: String
    ) throws {
        try write(text, to: "agent.json")
        do {
            _ = try settings()
            Issue.record("expected a refusal")
        } catch let error as ConfigurationError {
            #expect(
                error.description == "configuration '\(folder.path("agent.json"))': \(message)")
        }
    }

    @Test func `knows who tells of link and battery, and when it may download`() throws {
        try write(Self.least, to: "agent.json")
        #expect(unsafe mkdir(folder.path("agent.d"), 0o755) == 0)
        #expect(try settings().conditions == .kernel)
        #expect(try settings().driver.downloadWindows == [])
        try write(
            #"{"conditions":"bus","download_windows":[{"from":"22:00","until":"06:00"}]}"#,
            to: "agent.d/10-site.json")
        #expect(try settings().conditions == .bus)
        #expect(
            try settings().driver.downloadWindows == [DailyWindow(from: 1_320, until: 360)])
        try write(#"{"conditions":"/run/x.json"}"#, to: "agent.d/20-site.json")
        #expect(try settings().conditions == .file("/run/x.json"))
    }

    @Test func `needs what has no default`() throws {
        try write(#"{"registry":"https://r.example"}"#, to: "agent.json")
        #expect(throws: ConfigurationError(file: nil, reason: .missing("model"))) { try settings() }
    }

    @Test(arguments: ["http://r.example", "https://", "https://r.example/path", "https://a b", "r"])
    func `takes an https base only`(url: String) throws {
        try write(
            Self.least.replacing("https://r.example:8443/", with: url), to: "agent.json")
        let path = folder.path("agent.json")
        #expect(throws: ConfigurationError(file: path, reason: .notHTTPS(url))) { try settings() }
    }

    @Test func `says which file is missing`() throws {
        do {
            _ = try settings()
            Issue.record("expected a refusal")
        } catch let error as ConfigurationError {
            #expect(error.file == folder.path("agent.json"))
            #expect(error.description.contains("no such file"))
        }
    }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
