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
    func enrol(token: String, until stop: Interrupt) throws(AgentError) -> DeviceID {
        let key = try state.key()
        let own = DeviceID(publicKeyDigest: SHA256.digest(of: key.publicKey.bytes))
        let device: DeviceID
        do {
            device = try reporting.enrol(request(token, key), until: stop)
        } catch { throw AgentError(error) }
        guard device == own else {
            throw AgentError(
                .refused, "enrolment: expected device id \(own), got \(device)")
        }
        do { try state.remember(enrolmentOf: device, at: settings.registry) } catch {
            throw AgentError(error)
        }
        return device
    }

    /// The request, signed by the device's key over its canonical bytes without the signature.
    func request(_ token: String, _ key: Ed25519PrivateKey) -> JSON {
        var fields: [String: JSON] = [
            "schema": .string(Self.schema), "public_key": .string(key.publicKey.hex),
            "token": .string(token), "attributes": settings.attributes.json,
            "agent": .string(AgentVersion.current.description),
        ]
        let message = JSON.object(fields).canonicalBytes
        fields["signature"] = .string(Hex.encode(key.sign(message)))
        return .object(fields)
    }
}
