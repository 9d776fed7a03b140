/// How a client connects, whom it trusts, and what it allows an answer to cost.
package struct HTTPClientSettings: Sendable, Hashable {
    /// A PEM file of the authorities to trust instead of the system's; nil for the system's.
    package var authorities: String?
    /// Whether URLs of plain HTTP may be asked for.
    ///
    /// Where not, all is TLS 1.2 or newer.
    package var allowsPlainHTTP = false
    /// The path of a Unix socket to which every request goes, whatever its URL's host; plain HTTP is then allowed.
    package var unixSocket: String?
    /// A proxy's URL; nil for none, whatever the environment says.
    package var proxy: String?
    /// The value of `User-Agent`.
    package var userAgent = "fieldfare"
    /// How many redirects are followed; with 0 the first one is an error.
    package var redirects = 0
    /// The longest that connecting may take, TLS included.
    package var connect: Duration = .seconds(10)
    /// The longest that one request may take; nil for no limit of its own.
    package var total: Duration?
    /// The longest without a byte in either direction, and the time for which `leastSpeed` may be missed;
    /// whole seconds, at least 1.
    package var stall: Duration = .seconds(30)
    /// The least speed that counts as moving, in bytes per second.
    package var leastSpeed = 64
    /// The limit of all header fields of one answer, in bytes.
    package var headerLimit = 64 << 10
    /// How much is kept of the body of an answer that is no success.
    package var failureBodyLimit = 64 << 10

    package init() {}
}
