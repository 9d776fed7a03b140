import NIOCore
import NIOPosix

/// Runs work that waits for the disk or the database on threads of its own, so that the cooperative pool
/// never blocks.
///
/// - Throws: what `work` throws.
func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
}
