import Primitives
import TUF

extension RegistryError: CustomStringConvertible {
    /// What was wrong: thing, expected, got.
    package var description: String {
        switch self {
        case .malformed(let error): "request: \(error)"
        case .notJSON(let error): "request: \(error)"
        case .unauthorised: "token: expected one that is in force, got none or another"
        case .forbidden(let needs): "token: expected scope '\(needs)', got one without it"
        case .notFound(let kind, let name): "\(kind) '\(name)': expected one, got none"
        case .versionConflict(let role, let live, let offered):
            "role '\(role)': expected version \(live?.next ?? .first), got version \(offered)"
        case .proposalConflict(let role, let open, let missing):
            "role '\(role)': expected all that the open proposal \(open) contains, "
                + "got one without \(missing.joined(separator: ", "))"
        case .otherBytes(let path, let live, let offered):
            "target '\(path)': expected the bytes that it had, \(live), got \(offered)"
        case .offsetConflict(let reached, let offered):
            "upload: expected offset \(reached), got \(offered)"
        case .stateConflict(let order, let reason): "order '\(order)': \(reason)"
        case .rolloutExists(let model, let channel, let state):
            "rollout of '\(model)' in channel '\(channel)': expected one that has ended, "
                + "got one that is \(state)"
        case .tooLarge(let thing, let limit, let found):
            "\(thing): expected at most \(limit), got \(found)"
        case .digestMismatch(let expected, let found):
            "upload: expected SHA-256 \(expected), got \(found)"
        case .wrongLength(let thing, let expected, let found):
            "\(thing): expected length \(expected), got \(found)"
        default: trustText
        }
    }

    private var trustText: String {
        switch self {
        case .untrusted(let error): "\(error)"
        case .noValidSignature(let role):
            "role '\(role)': expected a valid signature of one of its keys, got none"
        case .outsidePaths(let role, let paths):
            "role '\(role)': expected targets inside its paths, got "
                + paths.map { "'\($0)'" }.joined(separator: ", ")
        case .notPostable(let role):
            "role '\(role)': expected root, targets or the model role of a known model"
        case .wrongSignature(let device):
            "device \(device): expected a signature by its own key, got another"
        case .refusedByPolicy(let problems): problems.joined(separator: "; ")
        case .notAcknowledged(let warnings): warnings.joined(separator: "; ")
        case .tooManyRequests(let seconds):
            "requests: expected fewer, got too many; try again in \(seconds) s"
        case .insufficientStorage: "disk: expected room for the bytes, got none"
        case .noRepository: "repository: expected a root and targets, got none yet"
        case .keyMissing(let role):
            "online key of role '\(role)': expected one that its delegator names, got none"
        case .storage(let reason): "store: \(reason)"
        case .damagedAudit(let fault): "audit log: \(fault)"
        default: preconditionFailure("described above")
        }
    }

    /// What the one who asked may do about it.
    package var hint: String? {
        switch self {
        case .forbidden(let needs): "ask an administrator for a token with scope '\(needs)'"
        case .versionConflict: "take the live version, make your changes to it, and sign again"
        case .proposalConflict: "start from the open proposal, add to it, and sign again"
        case .otherBytes: "a published version never changes: publish a new version"
        case .offsetConflict(let reached, _): "go on at offset \(reached)"
        case .digestMismatch: "upload the file again"
        case .noValidSignature: "sign with a key that the delegation names"
        case .noRepository: "publish root, then targets"
        case .untrusted(let error): error.hint
        case .outsidePaths: "the role is trusted with its model's paths only: publish to those"
        case .notPostable:
            "snapshot, timestamp and plans are signed by the registry; a new model needs 'fieldfare repo add-model'"
        case .wrongSignature: "sign the bytes that are sent, with the device's own key"
        case .notAcknowledged:
            "where that is known and accepted, create it with 'acknowledge' (by the CLI '--acknowledge-warnings')"
        case .insufficientStorage: "free space on the registry's disk"
        default: nil
        }
    }
}
