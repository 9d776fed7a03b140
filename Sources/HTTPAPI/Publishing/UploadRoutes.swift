import HTTPTypes
import Hummingbird
import Primitives
import RegistryCore

/// `/v1/uploads`: files by digest, in chunks of at most 8 MiB, resumed where they stopped.
struct UploadRoutes: Sendable {
    private static let offsetField = HTTPField.Name("Upload-Offset")

    let services: Services

    func add(to table: inout RouteTable) {
        let publishing = Route.Access.token([.publish], .ofAnyModel)
        table.add(
            Route(
                .post, "/v1/uploads", "Opens an upload, or tells that the blob is there",
                publishing, body: .json(), [.json("upload"), .json("upload", .created)],
                problems: [.insufficientStorage]), use: open)
        table.add(
            Route(
                .get, "/v1/uploads/{id}", "How far an upload has come", publishing,
                [.json("upload")]), use: standing)
        table.add(
            Route(
                .patch, "/v1/uploads/{id}", "Appends a chunk", publishing,
                parameters: [.header("Upload-Offset", "where the chunk begins, required")],
                body: .bytes(limit: Upload.chunkLimit), [.json("upload")],
                problems: [.offsetConflict, .insufficientStorage]), use: append)
        table.add(
            Route(
                .put, "/v1/uploads/{id}", "Checks the digest, and makes a blob of it",
                publishing, [.json("upload", .created)],
                problems: [.offsetConflict, .digestMismatch]), use: finish)
    }

    /// Uploads are harmless without a signature, so the scope of any model will do.
    private func publisher(_ request: Request) async throws -> Principal {
        try await services.answering(request) { principal in
            try authorise(principal, .publish, on: .anyModel)
            return principal
        }
    }

    @Sendable private func open(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let owner = try await publisher(request).id
        let json = try await request.json()
        let (digest, length) = try readingFields(json) { fields throws(FieldError) in
            let expected = "64 lower-case hexadecimal digits"
            return (
                try fields.parse("sha256", expected) { SHA256Digest(hex: $0) },
                try fields.integer("length")
            )
        }
        let standing = try await blocking {
            try services.uploads.open(sha256: digest, length: length, by: owner)
        }
        return Self.response(standing, created: true)
    }

    @Sendable private func standing(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let owner = try await publisher(request).id
        let id = try context.parameters.require("id")
        return Self.response(
            try await blocking { try services.uploads.standing(of: id, by: owner) })
    }

    @Sendable private func append(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let owner = try await publisher(request).id
        let id = try context.parameters.require("id")
        let text = Self.offsetField.flatMap { request.headers[$0] }
        guard let offset = text.flatMap({ Int64($0) }), offset >= 0 else {
            throw Problem(
                .malformedRequest,
                "header 'Upload-Offset': expected a number of bytes, got \(text ?? "nothing")")
        }
        // Whether the upload exists is asked before 8 MiB are read for it.
        _ = try await blocking { try services.uploads.standing(of: id, by: owner) }
        let chunk = try await request.bytes(limit: Upload.chunkLimit)
        let reached = try await blocking {
            try services.uploads.append(chunk, at: offset, to: id, by: owner)
        }
        return Self.open(id: id, offset: reached)
    }

    @Sendable private func finish(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let owner = try await publisher(request).id
        let id = try context.parameters.require("id")
        try await blocking { try services.uploads.finish(id, by: owner) }
        return Response(["type": "upload", "state": "present"], status: .created)
    }

    private static func response(_ standing: Uploads.Standing, created: Bool = false) -> Response {
        switch standing {
        case .present: Response(["type": "upload", "state": "present"])
        case .open(let upload, let offset):
            open(id: upload.description, offset: offset, status: created ? .created : .ok)
        }
    }

    private static func open(
        id: String, offset: Int64, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = HTTPFields()
        if let offsetField { headers[offsetField] = "\(offset)" }
        return Response(
            [
                "type": "upload", "state": "open", "id": .string(id),
                "offset": .integer(offset),
            ],
            status: status, headers: headers)
    }
}
