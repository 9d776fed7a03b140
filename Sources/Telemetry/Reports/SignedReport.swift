package import Primitives

/// A report as it arrived: its content, the exact bytes its signature covers, and the signature, not yet checked.
package struct SignedReport: Sendable, Hashable {
    package let report: Report
    /// The canonical form of `signed` as received, fields of a newer schema included.
    package let signedBytes: [UInt8]
    /// 64 bytes of Ed25519, which the caller checks with the key of `report.device`.
    package let signature: [UInt8]
    private let signed: JSON

    /// Reads `{"signed":{...},"signature":hex}` and refuses what cannot be at `now`.
    package init(_ json: JSON, at now: UTCTime) throws(TelemetryError) {
        do {
            var fields = try Fields(json)
            signed = try fields.value("signed", "an object")
            signature = try fields.parse("signature", "128 hexadecimal digits") { text in
                Hex.decode(text).flatMap { $0.count == 64 ? $0 : nil }
            }
            try fields.refuseUnknown()
        } catch {
            throw .field(error)
        }
        signedBytes = signed.canonicalBytes
        guard signedBytes.count <= Report.byteLimit else {
            throw .impossibleCount(
                field: "signed", limit: Int64(Report.byteLimit), found: Int64(signedBytes.count))
        }
        report = try Report(signed)
        try report.check(at: now)
    }

    /// A report that was made in this process, with a signature that nobody will check.
    package init(_ report: Report, signature: [UInt8]) {
        self.report = report
        self.signature = signature
        signed = report.json
        signedBytes = signed.canonicalBytes
    }

    /// The object's canonical form: `signature` comes before `signed`, whose own is there already.
    package var canonicalBytes: [UInt8] {
        var bytes = Array("{\"signature\":\"".utf8)
        bytes += Hex.encode(signature).utf8
        bytes += "\",\"signed\":".utf8
        bytes += signedBytes
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The object as it arrived.
    package var json: JSON { ["signed": signed, "signature": .string(Hex.encode(signature))] }
}
