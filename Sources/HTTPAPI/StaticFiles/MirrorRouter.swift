package import Hummingbird
import NIOCore
import Primitives
package import RegistryCore
import TUF

/// Serves a repository's static files from another place: `/tuf`, `/targets` and `/blobs`, nothing else.
///
/// A mirror needs no key and no database, and is not trusted: a device finds out by itself whether what it
/// got is what was signed.
package struct MirrorRouter: Sendable {
    private let files: any MirrorReading

    package init(files: any MirrorReading) {
        self.files = files
    }

    package func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(table: RouteTable()))
        router.get("/tuf/**", use: file)
        router.get("/targets/**", use: file)
        router.get("/blobs/sha256/**", use: file)
        router.get("/healthz") { _, _ in Response(["type": "health", "state": "alive"]) }
        return router
    }

    @Sendable private func file(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let path = String(request.uri.path.dropFirst())
        guard let blob = try await blocking({ try files.open(path) }) else {
            throw RegistryError.notFound("file", path)
        }
        return StaticRoutes.response(
            to: request, blob, tag: nil,
            type: path.hasPrefix("blobs/") ? "application/octet-stream" : "application/json",
            caching: path == "tuf/\(MetadataFileName(.timestamp))"
                ? "no-cache" : StaticRoutes.immutable,
            context)
    }
}

/// Where a mirror's files are.
package protocol MirrorReading: Sendable {
    /// Opens a file by its path below the mirror's folder; nil where there is none.
    func open(_ path: String) throws(RegistryError) -> (any BlobReading)?
}
