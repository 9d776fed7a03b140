import Primitives
package import Telemetry

/// Takes fields out of a stored report whose time is over; the signature goes with them.
package struct ReportRedaction: Sendable {
    private let paths: [[String]]

    package init(_ fields: [ReportField]) {
        paths = fields.map { $0.path.split(separator: ".").map(String.init) }
    }

    /// - Throws: `.storage` where the bytes are no stored report.
    package func redact(_ bytes: [UInt8]) throws(RegistryError) -> [UInt8] {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: 1 << 20) } catch {
            throw .storage("stored report: \(error)")
        }
        guard var signed = json["signed"] else {
            throw .storage("stored report: expected 'signed', got none")
        }
        for path in paths { signed = Self.removing(path[...], from: signed) }
        return JSON.object(["signed": signed]).canonicalBytes
    }

    private static func removing(_ path: ArraySlice<String>, from json: JSON) -> JSON {
        guard let key = path.first, case .object(var fields) = json, let inner = fields[key]
        else { return json }
        fields[key] = path.count == 1 ? nil : removing(path.dropFirst(), from: inner)
        return .object(fields)
    }
}
