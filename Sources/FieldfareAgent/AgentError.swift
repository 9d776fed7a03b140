import AgentCore
import Glibc
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
        /// A bundle could not be tested: no smoke program, no speech runtime, no memory, or no time.
        public static let smokeTest = Code(rawValue: "smoke_test")
        /// The registry, or the agent that was asked, cannot be reached.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The registry, or the agent that was asked, refused.
        public static let refused = Code(rawValue: "refused")
        /// There is no usable model on this device: the application is on its own, or uses the cloud.
        public static let cloudOnly = Code(rawValue: "cloud_only")
        /// Not for this user.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The request to the agent is not one that it knows.
        public static let malformedRequest = Code(rawValue: "malformed_request")
        /// The agent's answer is not one that this library knows.
        public static let malformedAnswer = Code(rawValue: "malformed_answer")

        /// Stopped before it was done.
        public static let interrupted = Code(rawValue: "interrupted")

        /// The word.
        public var description: String { rawValue }
    }

    /// What kind of trouble it is.
    public let code: Code
    /// The trouble in a sentence: thing, expected, got.
    public let message: String
    /// What a person can do about it; nil where the message says it all.
    public let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// What the file system said of something that the agent keeps.
    init(_ thing: String, _ error: FileError) {
        self.init(.storage, "\(thing): \(error)", hint: error.hint)
    }

    /// The message, and the hint on a line of its own.
    public var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
}

extension FileError {
    /// What a person can do about it; nil where the error says it all.
    var hint: String? {
        switch self {
        case .insufficientStorage: "make room on that disk"
        case .system(_, _, EACCES), .system(_, _, EPERM):
            "let the agent's user have it: see the path's owner and mode"
        case .system(_, _, EROFS): "name a place that can be written"
        default: nil
        }
    }
}

extension ProbeError {
    /// What a person can do about it; nil where the error says it all.
    var hint: String? {
        guard case .cannotStart = self else { return nil }
        return "install 'fieldfare-smoke', or name it in 'smoke_program'"
    }
}
