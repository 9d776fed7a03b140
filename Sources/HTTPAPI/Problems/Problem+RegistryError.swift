import Primitives
package import RegistryCore
import TUF

extension Problem {
    /// The refusal of a use case, in the words of the protocol.
    ///
    /// What is the registry's own trouble is not told to strangers: its detail names the request only.
    package init(_ error: RegistryError) {
        guard error.code != .internal else {
            self.init(.internal, "registry: expected an answer, got trouble of its own")
            return
        }
        self.init(
            error.code, "\(error)", hint: error.hint, facts: Self.facts(of: error),
            headers: Self.headers(of: error))
    }

    private static func facts(of error: RegistryError) -> JSONObject {
        switch error {
        case .forbidden(let needs): ["needs": .string(needs.description)]
        case .versionConflict(let role, let live, let offered):
            [
                "role": .string(role.description),
                "live": live.map { .integer($0.number) } ?? .null,
                "offered": .integer(offered.number),
            ]
        case .proposalConflict(let role, let open, let missing):
            [
                "role": .string(role.description), "open": .integer(open.number),
                "missing": .array(missing.map { .string($0) }),
            ]
        case .otherBytes(let path, let live, let offered):
            [
                "target": .string(path.description), "expected": .string(live.hex),
                "found": .string(offered.hex),
            ]
        case .offsetConflict(let reached, let offered):
            ["reached": .integer(reached), "offered": .integer(offered)]
        case .tooLarge(_, let limit, let found):
            ["limit": .integer(limit), "found": .integer(found)]
        case .digestMismatch(let expected, let found):
            ["expected": .string(expected.hex), "found": .string(found.hex)]
        case .refusedByPolicy(let problems):
            ["problems": .array(problems.map { .string($0) })]
        case .notAcknowledged(let warnings):
            ["warnings": .array(warnings.map { .string($0) })]
        default: [:]
        }
    }

    private static func headers(of error: RegistryError) -> [String: String] {
        switch error {
        case .tooManyRequests(let seconds): ["Retry-After": "\(seconds)"]
        case .offsetConflict(let reached, _): ["Upload-Offset": "\(reached)"]
        default: [:]
        }
    }
}
