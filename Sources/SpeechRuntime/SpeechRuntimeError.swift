package import Primitives

/// Why the speech runtime cannot be used.
package enum SpeechRuntimeError: Error, Sendable, Hashable {
    /// No folder that was looked at holds the runtime's library.
    case notFound(looked: [String])
    /// The library is there, and cannot be used; the reason is the loader's or ours.
    case cannotOpen(path: String, reason: String)
    /// The bundle asks for a newer runtime.
    case tooOld(found: String, needed: SemanticVersion)
    /// The runtime answers that it cannot make a recogniser of these files.
    case nullCreate(model: String)
}

extension SpeechRuntimeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let looked):
            "speech runtime: expected \(RuntimeFolder.libraryPath) below one of "
                + "\(looked.joined(separator: ", ")), got none\nhint: make setup"
        case .cannotOpen(let path, let reason):
            "speech runtime '\(path)': expected a library to open, got: \(reason)\nhint: make setup"
        case .tooOld(let found, let needed):
            "speech runtime: expected version \(needed) or newer, got \(found)"
        case .nullCreate(let model):
            "model '\(model)': expected a model that the speech runtime accepts, got a refusal"
        }
    }
}
