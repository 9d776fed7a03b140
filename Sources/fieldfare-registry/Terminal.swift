import ArgumentParser

/// Runs a command's work, and tells what went wrong the one way.
enum Terminal {
    static func run(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let failure as Failure {
            throw failure.tell()
        }
    }

    static func run(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let failure as Failure {
            throw failure.tell()
        }
    }
}
