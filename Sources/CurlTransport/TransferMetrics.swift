/// What transfers have cost, summed up.
package struct TransferMetrics: Sendable, Hashable {
    /// Requests begun, those that failed included.
    package var requests: Int64 = 0
    /// Connections opened; fewer than requests where they were kept alive.
    package var connections: Int64 = 0
    /// Answers of 304: the copy at hand was still good.
    package var notModified: Int64 = 0
    /// Header and body bytes received, without TLS and below.
    package var bytesReceived: Int64 = 0
    /// Header and body bytes sent, without TLS and below.
    package var bytesSent: Int64 = 0
    /// The part of `bytesReceived` that is bodies.
    package var bodyBytesReceived: Int64 = 0
    /// Time spent in transfers, in microseconds.
    package var microseconds: Int64 = 0

    package init() {}

    package static func + (left: TransferMetrics, right: TransferMetrics) -> TransferMetrics {
        var sum = left
        sum.requests += right.requests
        sum.connections += right.connections
        sum.notModified += right.notModified
        sum.bytesReceived += right.bytesReceived
        sum.bytesSent += right.bytesSent
        sum.bodyBytesReceived += right.bodyBytesReceived
        sum.microseconds += right.microseconds
        return sum
    }
}
