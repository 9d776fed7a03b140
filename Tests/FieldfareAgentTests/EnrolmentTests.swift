import AgentCore
import Cryptography
import Glibc
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

    // MARK: A running agent

    private func enrolByItself(
        _ answer: Result<DeviceID, FetchError>, isForgotten: Bool = false, tokenFile: String?
    ) throws(EnrolmentFailure) {
        let enrolment: Enrolment
        do {
            let path = try device.configuration(
                with: tokenFile.map { ["enrolment_token_file": .string($0)] } ?? [:])
            let settings = try Agent(configuration: path).settings
            enrolment = Enrolment(
                settings: settings, state: try StateDirectory(settings.stateDirectory),
                reporting: OneAnswer(answer: answer))
        } catch { throw .refused("\(error)") }
        try enrolment.enrol(isForgotten: isForgotten, until: Interrupt())
    }

    private func tokenFile(_ text: String = token) throws -> String {
        let file = device.scratch.path("token")
        try device.write(Array(text.utf8), to: file)
        return file
    }

    /// The id under the key that the device has, made where it is missing.
    private func ownID() throws -> DeviceID {
        let key = try StateDirectory(device.scratch.path("state")).keys.key()
        return key.deviceID
    }

    @Test func `a running agent enrols with the token of its file, and remembers that`() throws {
        let own = try ownID()
        #expect(throws: EnrolmentFailure.noToken) {
            try enrolByItself(.success(own), tokenFile: nil)
        }
        try enrolByItself(.success(own), tokenFile: tokenFile())
        #expect(try StateDirectory(device.scratch.path("state")).enrolledDevice() == own)
        // Remembered: neither token nor registry is asked for, until the registry knows the device no more.
        try enrolByItself(.failure(.notFound), tokenFile: nil)
        #expect(throws: EnrolmentFailure.noToken) {
            try enrolByItself(.success(own), isForgotten: true, tokenFile: nil)
        }
        try enrolByItself(.success(own), isForgotten: true, tokenFile: tokenFile())
    }

    @Test func `a device that has lost its key is another one, and enrols as that`() throws {
        try enrolByItself(.success(ownID()), tokenFile: tokenFile())
        try #require(unsafe unlink(device.scratch.path("state/device.key")) == 0)
        let own = try ownID()
        try enrolByItself(.success(own), tokenFile: tokenFile())
        #expect(try StateDirectory(device.scratch.path("state")).enrolledDevice() == own)
    }

    @Test func `a running agent says what stands in the way, without the token`() throws {
        let wait = FetchError.busy(status: 429, retryAfter: 70)
        let file = try tokenFile()
        let busy = #expect(throws: EnrolmentFailure.self) {
            try enrolByItself(.failure(wait), tokenFile: file)
        }
        guard case .unreachable(let text, retryAfter: 70) = busy else {
            Issue.record("\(String(describing: busy))")
            return
        }
        #expect(text.hasPrefix("enrolment at \(Self.registry): "))
        let used = #expect(throws: EnrolmentFailure.self) {
            try enrolByItself(.failure(.refused(status: 401, code: nil)), tokenFile: file)
        }
        #expect("\(used as Any)".contains("not used by another device"))
        #expect("\(used as Any)".contains(Self.token) == false)
        try device.write(Array("no token".utf8), to: file)
        let none = #expect(throws: EnrolmentFailure.self) {
            try enrolByItself(.success(ownID()), tokenFile: file)
        }
        #expect("\(none as Any)".contains("expected 'fe_' and 43 letters"))
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
