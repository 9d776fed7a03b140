package import Hummingbird
import Logging
package import NIOCore
import NIOPosix

/// What accompanies one request: Hummingbird's own context, and the event loop of the connection that it came on.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Blobs are paced by it (`PacedBlobBody`).
    package let eventLoop: any EventLoop

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        eventLoop = source.channel.eventLoop
    }

    /// For a request that came on no connection.
    init(logger: Logger) {
        coreContext = CoreRequestContextStorage(source: Own(logger: logger))
        eventLoop = NIOSingletons.posixEventLoopGroup.any()
    }

    private struct Own: RequestContextSource {
        let logger: Logger
    }
}
