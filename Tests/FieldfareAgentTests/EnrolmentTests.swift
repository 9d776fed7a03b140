import AgentCore
import Primitives
import TestSupport
import Testing

@testable import FieldfareAgent

/// What `enrol` says when the registry does not let the device in.
struct EnrolmentTests {
    private static let token = "fe_" + String(repeating: "A", count: 43)
    private static let registry = "https://127.0.0.1:9"
    private static let source = "'fieldfare devices enrol-tokens' makes tokens"

    private let device = AgentUnderTest()

    /// A registry with one answer.
    private struct OneAnswer: Reporting {
        let answer: Result<DeviceID, FetchError>

        func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt {
            ReportReceipt(accepted: [])
        }

        func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID {
            try answer.get()
        }
    }

    private func enrol(
        _ answer: Result<DeviceID, FetchError>, with token: EnrolmentToken
    ) throws -> DeviceID {
        let settings = try Agent(configuration: device.configuration()).settings
        let enrolment = Enrolment(
            settings: settings, state: try StateDirectory(settings.stateDirectory),
            reporting: OneAnswer(answer: answer))
        return try enrolment.enrol(token, until: Interrupt())
    }

    @Test(arguments: [
        (
            FetchError.unreachable("cannot reach \(registry)/v1/devices: no connection (7)"),
            AgentError.Code.unreachable,
            "enrolment at \(registry): cannot reach \(registry)/v1/devices: no connection (7)",
            "see whether 'registry' and 'ca_file' are right, and the network; then enrol again"
        ),
        (
            .busy(status: 503, retryAfter: nil), .unreachable,
            "enrolment at \(registry): the registry is busy (status 503)", "enrol again later"
        ),
        (
            .refused(status: 401, code: "unauthorised"), .refused,
            "enrolment token 'TOKEN': expected one that \(registry) made, not expired and not used by "
                + "another device, got one that it refuses (status 401)",
            "get a new one; \(source)"
        ),
        (
            .notFound, .refused,
            "enrolment at \(registry): expected a registry, got a server that enrols nobody (status 404)",
            "let 'registry' name the registry itself while enrolling, not a mirror"
        ),
        (
            .refused(status: 403, code: "refused-by-trust"), .refused,
            "enrolment at \(registry): expected to be let in, got status 403, refused-by-trust",
            "the registry's log says more"
        ),
        (
            .malformed("field 'device': expected an id"), .refused,
            "enrolment at \(registry): cannot understand the registry: field 'device': expected an id",
            "see whether 'registry' names a registry"
        ),
    ])
    func `says what was expected, what came, and what to do`(
        error: FetchError, code: AgentError.Code, text: String, hint: String
    ) throws {
        let file = device.scratch.path("token")
        try device.write(Array((Self.token + "\n").utf8), to: file)
        let token = try EnrolmentToken(file: file)
        #expect(token.text == Self.token)
        let found = #expect(throws: AgentError.self) { try enrol(.failure(error), with: token) }
        let message = text.split(separator: "TOKEN", maxSplits: 1).joined(separator: file)
        #expect(found?.code == code)
        #expect(found?.message == message)
        #expect(found?.hint == hint)
        #expect(found?.description == "\(message)\nhint: \(hint)")
        #expect(found?.description.contains(Self.token) == false)
    }

    @Test func `takes a token from a program without a file's name`() throws {
        let token = try #require(EnrolmentToken(Self.token))
        let refusal = FetchError.refused(status: 401, code: nil)
        let error = #expect(throws: AgentError.self) { try enrol(.failure(refusal), with: token) }
        #expect(error?.message.hasPrefix("enrolment token: expected one that ") == true)
    }

    @Test func `refuses another device's id`() throws {
        let token = try #require(EnrolmentToken(Self.token))
        let other = try #require(DeviceID(bytes: [UInt8](repeating: 7, count: 16)))
        let error = #expect(throws: AgentError.self) { try enrol(.success(other), with: token) }
        #expect(error?.code == .refused)
        #expect(error?.message.hasSuffix("got \(other)") == true)
    }

    @Test(arguments: [
        "", "fe_", "fe_short", "ff_" + String(repeating: "A", count: 43),
        "fe_" + String(repeating: "A", count: 44), "fe_" + String(repeating: "A", count: 42) + "!",
        "fe_" + String(repeating: "A", count: 42) + "\u{E9}",
    ])
    func `refuses what is no token before anything is made`(text: String) throws {
        let agent = try Agent(configuration: device.configuration())
        let error = #expect(throws: AgentError.self) { try agent.enrol(token: text) }
        #expect(error?.code == .configuration)
        #expect(
            error?.message
                == "enrolment token: expected 'fe_' and 43 letters, digits, '-' or '_', "
                + "got another text")
        #expect(error?.hint == Self.source)
        #expect(!device.exists("state"))
    }
}
