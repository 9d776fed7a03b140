package import Primitives

/// A registry on a copy of all records and by a clock of its own, with the parts of the running one: what a brake
/// rehearsal is played on.
package protocol RehearsalGround: Sendable {
    var store: any RegistryStoring { get }
    var blobs: any BlobStoring { get }
    /// Follows orders on the copy.
    var desk: RolloutDesk { get }

    /// Sends a request that needs no token, such as `POST /v1/reports`, to its router.
    ///
    /// - Returns: the status and the body of the answer.
    func post(
        _ path: String, _ body: [UInt8], at now: UTCTime
    ) async throws -> (status: Int, body: [UInt8])

    /// Does what the registry does by itself: the controller's tick.
    func tick(at now: UTCTime) async throws

    /// Runs work that waits for the disk where that keeps nobody waiting.
    func blocking<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value
}
