import HTTPTypes
import Hummingbird
import NIOCore
import Primitives
import RegistryCore
import TUF

/// `/tuf`, `/targets` and `/blobs`: what devices and mirrors fetch, byte for byte as it was signed or uploaded.
///
/// A file whose URL holds its version or digest never changes and may be cached for ever; only
/// `timestamp.json` is asked for anew each time.
struct StaticRoutes: Sendable {
    static let immutable = "public, max-age=31536000, immutable"
    static let metadataPath = "/tuf/{name}"

    let services: Services

    func add(to table: inout RouteTable) {
        let held = Route.Parameter.header("If-None-Match", "the ETag of what the client has")
        let parts = [
            held, .header("Range", "one range of bytes"),
            .header("If-Range", "the ETag that the range belongs to"),
        ]
        func answers(_ media: String) -> [Route.Answer] {
            [
                .file(media), .file(media, .partialContent), .empty(.notModified),
                .empty(.rangeNotSatisfiable),
            ]
        }
        table.add(
            Route(
                .get, Self.metadataPath, "TUF metadata as it was signed", .open, parameters: [held],
                [.file("application/json"), .empty(.notModified)]), use: metadata)
        table.add(
            Route(
                .get, "/targets/**", "Manifests, policies, plans, approvals", .open,
                parameters: parts,
                answers("application/json")), use: target)
        table.add(
            Route(
                .get, "/blobs/sha256/{digest}", "Whole files by SHA-256", .open, parameters: parts,
                answers("application/octet-stream")), use: blob)
    }

    @Sendable private func metadata(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let name = try context.parameters.require("name")
        let isNewest = name == MetadataFileName(.timestamp).description
        let file =
            isNewest
            ? services.published.timestamp
            : try await blocking { try services.published.metadata(named: name) }
        guard let file else { throw RegistryError.notFound("metadata", name) }
        let isHeld = EntityTag.isHeld(Self.tag(of: file), by: request.headers[.ifNoneMatch])
        let status: HTTPResponse.Status = isHeld ? .notModified : .ok
        return Response(
            status: status,
            headers: Self.metadataHeaders(of: file, isNewest: isNewest, status: status),
            body: isHeld
                ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
    }

    static func tag(of file: PublishedFile) -> String {
        "\"\(file.sha256.hex)\""
    }

    static func metadataHeaders(
        of file: PublishedFile, isNewest: Bool, status: HTTPResponse.Status
    ) -> HTTPFields {
        var headers: HTTPFields = [
            .contentType: "application/json", .eTag: tag(of: file),
            .cacheControl: isNewest ? "no-cache" : immutable,
        ]
        if status == .ok { headers[.xContentTypeOptions] = "nosniff" }
        return headers
    }

    /// Targets lie among the blobs; the digest in the name says which.
    @Sendable private func target(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let path = String(request.uri.path.dropFirst("/targets/".count))
        guard let target = TargetPath(path), let digest = PublishedFiles.target(at: target) else {
            throw RegistryError.notFound("target", path)
        }
        return try await serve(
            digest, named: path, type: "application/json", request, context)
    }

    @Sendable private func blob(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let text = try context.parameters.require("digest")
        guard let digest = SHA256Digest(hex: text) else {
            throw RegistryError.notFound("blob", text)
        }
        return try await serve(
            digest, named: text, type: "application/octet-stream", request, context)
    }

    private func serve(
        _ digest: SHA256Digest, named name: String, type: String, _ request: Request,
        _ context: APIContext
    ) async throws -> Response {
        guard let blob = try await blocking({ try services.published.blob(digest) }) else {
            throw RegistryError.notFound("blob", name)
        }
        return Self.response(to: request, blob, tag: "\"\(digest.hex)\"", type: type, context)
    }

    static func response(
        to request: Request, _ blob: any BlobReading, tag: String?, type: String,
        caching: String = immutable, _ context: APIContext
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: type, .cacheControl: caching, .acceptRanges: "bytes",
            .xContentTypeOptions: "nosniff",
        ]
        headers[.eTag] = tag
        if let tag, EntityTag.isHeld(tag, by: request.headers[.ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        let ifRange = HTTPField.Name("If-Range").flatMap { request.headers[$0] }
        let asked = ifRange == nil || ifRange == tag ? request.headers[.range] : nil
        switch ByteRange(header: asked, length: blob.length) {
        case .whole:
            let body = PacedBlobBody(
                blob: blob, range: 0..<blob.length, eventLoop: context.eventLoop)
            return Response(status: .ok, headers: headers, body: body.body)
        case .part(let part):
            headers[.contentRange] =
                "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(blob.length)"
            let body = PacedBlobBody(blob: blob, range: part, eventLoop: context.eventLoop)
            return Response(status: .partialContent, headers: headers, body: body.body)
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(blob.length)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
    }
}
