package import Primitives

/// Why something that `Speech` reads is refused; each case carries the facts of one refusal.
package enum SpeechError: Error, Sendable, Hashable {
    case wav(WaveError)
    case tokens(TokenTableError)
    case json(JSONError)
    case field(FieldError)
}

extension SpeechError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .wav(let error): error.description
        case .tokens(let error): error.description
        case .json(let error): error.description
        case .field(let error): error.description
        }
    }
}
