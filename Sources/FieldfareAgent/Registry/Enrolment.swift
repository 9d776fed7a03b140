import AgentCore
import Cryptography
import Primitives

/// Makes a device known to its registry: first the key, durably, then the request; again and again if need be.
struct Enrolment {
    static let schema = "fieldfare.enrolment/1"

    let settings: AgentSettings
    let state: StateDirectory
    let reporting: any Reporting

    /// Enrols with a one-time token, and remembers it.
    ///
    /// A device that is enrolled already asks again all the same: the registry answers with the same id.
    func enrol(_ token: EnrolmentToken, until stop: Interrupt) throws(AgentError) -> DeviceID {
        switch try ask(token, until: stop) {
        case .success(let device): return device
        case .failure(let error): throw failure(error, token)
        }
    }

    /// Asks the registry, and remembers what it has answered.
    private func ask(
        _ token: EnrolmentToken, until stop: Interrupt
    ) throws(AgentError) -> Result<DeviceID, FetchError> {
        let key = try state.keys.key()
        let request = try request(token.text, key)
        let device: DeviceID
        do { device = try reporting.enrol(request, until: stop) } catch { return .failure(error) }
        let own = key.deviceID
        guard device == own else {
            throw AgentError(
                .refused, "\(place): expected device id \(own), got \(device)",
                hint: "let 'registry' name the registry itself")
        }
        do { try state.remember(enrolmentOf: device, at: settings.registry) } catch {
            throw AgentError("enrolment", error)
        }
        return .success(device)
    }

    private var place: String { "enrolment at \(settings.registry)" }

    private func failure(_ error: FetchError, _ token: EnrolmentToken) -> AgentError {
        switch error {
        case .unreachable:
            AgentError(
                .unreachable, "\(place): \(error)",
                hint: "see whether 'registry' and 'ca_file' are right, and the network; "
                    + "then enrol again")
        case .busy, .interrupted:
            AgentError(.unreachable, "\(place): \(error)", hint: "enrol again later")
        case .refused(status: 401, _):
            AgentError(
                .refused,
                "\(token.name): expected one that \(settings.registry) made, not expired and not used "
                    + "by another device, got one that it refuses (status 401)",
                hint: "get a new one; \(EnrolmentToken.source)")
        case .notFound:
            AgentError(
                .refused,
                "\(place): expected a registry, got a server that enrols nobody (status 404)",
                hint: "let 'registry' name the registry itself while enrolling, not a mirror")
        case .refused(let status, let code):
            AgentError(
                .refused,
                "\(place): expected to be let in, got status \(status)"
                    + (code.map { ", \($0)" } ?? ""),
                hint: "the registry's log says more")
        case .tooLong, .malformed:
            AgentError(
                .refused, "\(place): \(error)", hint: "see whether 'registry' names a registry")
        }
    }

    /// The request, signed by the device's key over its canonical bytes without the signature.
    func request(
        _ token: String, _ key: any DeviceSigning
    ) throws(AgentError) -> JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "public_key": .string(key.publicKey.hex),
            "token": .string(token), "attributes": settings.attributes.json,
            "agent": .string(AgentVersion.current.description),
        ]
        let message = JSON.object(fields).canonicalBytes
        do {
            fields["signature"] = .string(Hex.encode(try key.signature(of: message)))
        } catch { throw AgentError(.key, "the device's key: \(error)") }
        return .object(fields)
    }
}

extension Enrolment: Enrolling {
    func enrol(isForgotten: Bool, until stop: Interrupt) throws(EnrolmentFailure) {
        do throws(AgentError) {
            if !isForgotten, try isRemembered() { return }
        } catch { throw EnrolmentFailure(error) }
        guard let file = settings.enrolmentTokenFile else { throw .noToken }
        let token: EnrolmentToken
        let answer: Result<DeviceID, FetchError>
        do throws(AgentError) {
            token = try EnrolmentToken(file: file)
            answer = try ask(token, until: stop)
        } catch { throw EnrolmentFailure(error) }
        guard case .failure(let error) = answer else { return }
        let failure = failure(error, token)
        guard error.isRetryable else { throw EnrolmentFailure(failure) }
        throw .unreachable(failure.message, retryAfter: error.retryAfter)
    }

    private func isRemembered() throws(AgentError) -> Bool {
        let key = try state.keys.key()
        let device: DeviceID?
        do { device = try state.enrolledDevice() } catch { throw AgentError("enrolment", error) }
        return device == key.deviceID
    }
}

extension EnrolmentFailure {
    /// What a person would be told, on one line of the log.
    init(_ error: AgentError) {
        self = .refused(error.message + (error.hint.map { " (\($0))" } ?? ""))
    }
}
