import Primitives
package import Telemetry

/// Takes fields out of a stored report whose time is over; the signature goes with them.
///
/// So do fields of a newer schema, which have no class here.
package struct ReportRedaction: Sendable {
    private let kept: Set<String>

    package init(_ fields: [ReportField]) {
        kept = Set(ReportField.all.map(\.path)).subtracting(fields.map(\.path))
    }

    /// - Throws: `.storage` where the bytes are no stored report.
    package func redact(_ bytes: [UInt8]) throws(RegistryError) -> [UInt8] {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: 1 << 20) } catch {
            throw .storage("stored report: \(error)")
        }
        guard let signed = json["signed"]?.object else {
            throw .storage("stored report: expected 'signed', got none")
        }
        let rest = keeping(signed, below: "")
        return JSON.object(["signed": .object(rest)]).canonicalBytes
    }

    private func keeping(_ fields: JSONObject, below prefix: String) -> JSONObject {
        var rest: JSONObject = [:]
        for (key, value) in fields {
            let path = prefix + key
            if kept.contains(path) {
                rest[key] = value
            } else if let inner = value.object {
                let left = keeping(inner, below: "\(path).")
                if !left.isEmpty { rest[key] = .object(left) }
            }
        }
        return rest
    }
}
