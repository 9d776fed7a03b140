import AgentCore
import Primitives
import TUF

/// An answer of a registry over HTTP, before anybody lies about it.
package struct HonestAnswer: Sendable {
    package var status: String
    package var fields: [String]
    package var body: [UInt8]

    package init(status: String, fields: [String] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    package var actions: [ServerAction] { ServerAction.answer(status, body, fields) }
}

extension MemoryRegistry {
    /// What the registry, or a static host with the same files, answers (docs/protocol.md).
    package func answer(_ request: ReceivedRequest) -> HonestAnswer {
        let words = request.line.split(separator: " ")
        let path = words.dropFirst().first.map(String.init) ?? ""
        do {
            if words.first == "POST", path == "/v1/reports" { return try receipt(request.body) }
            if let name = Self.rest(of: path, after: "/tuf/") {
                let bytes = try metadata(name, limit: .max, until: Interrupt())
                return bytes.map { HonestAnswer(status: "200 OK", body: $0) } ?? Self.missing
            }
            if path.hasPrefix("/targets/") { return try target(at: path) }
            if let hex = Self.rest(of: path, after: "/blobs/sha256/") {
                return try blob(hex, request.field("range"))
            }
            return Self.missing
        } catch { return Self.missing }
    }

    private static let missing = HonestAnswer(status: "404 Not Found")

    private static func rest(of path: String, after prefix: String) -> String? {
        path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    private func receipt(_ body: [UInt8]) throws -> HonestAnswer {
        let receipt = try post(JSON(parsing: body, limit: 1 << 20), until: Interrupt())
        let json: JSON = [
            "type": "reports", "accepted": .array(receipt.accepted.map { .integer($0) }),
            "refused": [],
        ]
        return HonestAnswer(
            status: "200 OK", fields: ["Content-Type: application/json"], body: json.bytes)
    }

    private func target(at path: String) throws -> HonestAnswer {
        let names = simulator.repository.targetFiles.keys
        guard let name = names.first(where: { path == "/targets/\($0.urlPath)" }) else {
            return Self.missing
        }
        return HonestAnswer(
            status: "200 OK", body: try target(name, limit: .max, until: Interrupt()))
    }

    /// A part of a blob, as `bytes=first-last` asks for it.
    private func blob(_ hex: String, _ range: String?) throws -> HonestAnswer {
        let ends = range?.dropFirst("bytes=".count).split(separator: "-").compactMap { Int64($0) }
        guard let digest = SHA256Digest(hex: hex), let ends, ends.count == 2 else {
            return Self.missing
        }
        var body: [UInt8] = []
        try blob(digest, range: ends[0]..<(ends[1] + 1), until: Interrupt()) { piece in
            unsafe piece.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
            return true
        }
        return HonestAnswer(
            status: "206 Partial Content",
            fields: ["Content-Range: bytes \(ends[0])-\(ends[1])/*"], body: body)
    }
}
