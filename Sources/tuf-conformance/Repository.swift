import CurlTransport
import Primitives
import TUF

/// A repository over HTTP or HTTPS; plain HTTP is allowed in this program and nowhere else.
struct Repository: MetadataFetching {
    /// Why a file of metadata could not be fetched.
    struct Failure: Error, CustomStringConvertible {
        let name: MetadataFileName
        let reason: TransportError

        var description: String { "cannot get \(name): \(reason)" }
    }

    private let metadata: String
    private let client: HTTPClient

    /// - Parameter metadata: the URL below which the metadata lies.
    init(metadata: String) {
        self.metadata = metadata
        var settings = HTTPClientSettings()
        settings.allowsPlainHTTP = true
        settings.userAgent = "fieldfare tuf-conformance"
        client = HTTPClient(settings)
    }

    func fetch(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]? {
        do {
            let request = HTTPRequest(.get, Self.join(metadata, name.description))
            let response = try client.send(request, limit: limit)
            // Static stores say 403 of what is not there, and python-tuf takes both so.
            if [403, 404, 410].contains(response.status) { return nil }
            return try response.requireSuccess().body
        } catch {
            throw Failure(name: name, reason: error)
        }
    }

    /// Hands a target's bytes on as they come, at most as many as its role says.
    func download<SinkError: Error>(
        _ url: String, limit: Int64, into sink: (RawSpan) throws(SinkError) -> Void
    ) throws(DownloadError<SinkError>) {
        try client.download(HTTPRequest(.get, url), limit: limit, into: sink)
    }

    static func join(_ base: String, _ path: String) -> String {
        base.hasSuffix("/") ? base + path : "\(base)/\(path)"
    }
}
