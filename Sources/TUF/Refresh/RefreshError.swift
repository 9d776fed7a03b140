/// Why a refresh stopped.
package enum RefreshError<Fetching: Error & Sendable, Storing: Error & Sendable>: Error, Sendable {
    /// Metadata was refused; what was trusted before still is.
    case refused(TUFError)
    /// The repository could not be asked.
    case fetching(Fetching)
    /// The store could not be read or written.
    case storing(Storing)
}

extension RefreshError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let error): error.description
        case .fetching(let error): "\(error)"
        case .storing(let error): "\(error)"
        }
    }
}

extension RefreshError: Equatable where Fetching: Equatable, Storing: Equatable {}
