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
        let key = try state.key()
        let own = DeviceID(publicKeyDigest: SHA256.digest(of: key.publicKey.bytes))
        let device: DeviceID
        do {
            device = try reporting.enrol(request(token.text, key), until: stop)
        } catch { throw failure(error, token) }
        guard device == own else {
            throw AgentError(
                .refused, "\(place): expected device id \(own), got \(device)",
                hint: "let 'registry' name the registry itself")
        }
        do { try state.remember(enrolmentOf: device, at: settings.registry) } catch {
            throw AgentError("enrolment", error)
        }
        return device
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
    func request(_ token: String, _ key: Ed25519PrivateKey) -> JSON {
        var fields: JSONObject = [
            "schema": .string(Self.schema), "public_key": .string(key.publicKey.hex),
            "token": .string(token), "attributes": settings.attributes.json,
            "agent": .string(AgentVersion.current.description),
        ]
        let message = JSON.object(fields).canonicalBytes
        fields["signature"] = .string(Hex.encode(key.sign(message)))
        return .object(fields)
    }
}
