package import Cryptography
package import FleetSimulation
package import Primitives
package import Telemetry

/// A simulated device with a key of its own, which signs as agents do.
package struct MadeUpDevice: Sendable {
    package let key: Ed25519PrivateKey
    package var agent: SimulatedAgent

    /// The body of `POST /v1/devices`.
    package static func enrolment(
        of key: Ed25519PrivateKey, _ attributes: DeviceAttributes, token: BearerText
    ) -> JSON {
        var fields: JSONObject = [
            "schema": .string(Enrolment.schema), "public_key": .string(key.publicKey.hex),
            "token": .string(token.text), "attributes": attributes.json, "agent": "1.0.0",
        ]
        fields["signature"] = .string(Hex.encode(key.sign(JSON.object(fields).canonicalBytes)))
        return .object(fields)
    }

    package init(key: Ed25519PrivateKey, agent: SimulatedAgent) {
        self.key = key
        self.agent = agent
    }

    /// The body of `POST /v1/reports`.
    package func batch(_ reports: [Report]) -> JSON {
        [
            "schema": .string(Reports.schema), "device": .string(agent.id.description),
            "reports": .array(reports.map { $0.signed(with: key.sign($0.signedBytes)) }),
        ]
    }
}
