package import Hummingbird
package import NIOCore

/// What accompanies one request: Hummingbird's own context, and the connection that it came on.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection; blobs are paced by its event loop (`PacedBlobBody`).
    package let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
