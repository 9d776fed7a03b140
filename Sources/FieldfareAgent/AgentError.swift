import AgentCore
import PosixFiles

/// Why the agent could not do what it was asked; `code` is stable, and codes may be added.
public struct AgentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of trouble, in one word.
    public struct Code: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        /// The word.
        public let rawValue: String

        /// A code by its word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The configuration is incomplete or wrong.
        public static let configuration = Code(rawValue: "configuration")
        /// Another agent uses the state directory or the socket.
        public static let busy = Code(rawValue: "busy")
        /// The disk failed, or is full.
        public static let storage = Code(rawValue: "storage")
        /// The device's key cannot be read.
        public static let key = Code(rawValue: "key")
        /// The root of trust is missing or is not one.
        public static let trust = Code(rawValue: "trust")
        /// The registry cannot be reached.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The registry refused.
        public static let refused = Code(rawValue: "refused")
        /// There is no usable model on this device: the application is on its own, or uses the cloud.
        public static let cloudOnly = Code(rawValue: "cloud_only")
        /// Not for this user.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The request to the agent is not one that it knows.
        public static let malformedRequest = Code(rawValue: "malformed_request")

        /// The word.
        public var description: String { rawValue }
    }

    /// What kind of trouble it is.
    public let code: Code
    /// The trouble in a sentence: thing, expected, got.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: FileError) { self.init(.storage, error.description) }

    init(_ error: FetchError) {
        self.init(error.isRetryable ? .unreachable : .refused, "\(error)")
    }

    /// The message.
    public var description: String { message }
}
