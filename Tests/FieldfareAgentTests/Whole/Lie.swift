import AgentCore
import Primitives
import Rollouts
import Synchronization
import TUF
import TestSupport
import Testing

/// One way in which a registry does not do what it should.
enum Lie: String, CaseIterable {
    /// Half of what was announced, and an orderly end of the connection.
    case truncates
    /// Half of what was announced, and then nothing.
    case stalls
    /// Half of what was announced, and RST.
    case resets
    case notFound
    /// 429 with `Retry-After`.
    case tooMany
    case fails
    /// A byte too few, in an answer that is whole in itself.
    case wrongLength
    /// One bit is another one; of a receipt, the reports that it names.
    case wrongBytes
    /// What was right before the release.
    case isOld
    /// Bytes without an end.
    case isEndless
}

/// What a registry lies about.
enum Thing: String, CaseIterable {
    case timestamp
    case snapshot
    case role
    case manifest
    case policy
    case plan
    case blob
    case report

    /// What is asked for on its behalf.
    init?(_ request: ReceivedRequest) {
        let words = request.line.split(separator: " ")
        let path = words.count > 1 ? words[1] : ""
        let found = Self.allCases.first { thing in
            switch thing {
            case .timestamp: path == "/tuf/timestamp.json"
            case .snapshot: path.hasPrefix("/tuf/") && path.hasSuffix(".snapshot.json")
            case .role: path.hasPrefix("/tuf/") && path.hasSuffix(".model.commands-en.json")
            case .manifest: path.hasPrefix("/targets/bundles/")
            case .policy: path.hasPrefix("/targets/policies/")
            case .plan: path.hasPrefix("/targets/rollouts/")
            case .blob: path.hasPrefix("/blobs/")
            case .report: words.first == "POST"
            }
        }
        guard let found else { return nil }
        self = found
    }

    /// The name under which the second release lists it; nil for what is no target.
    var target: String? {
        switch self {
        case .manifest: "bundles/commands-en/1.1.0.json"
        case .policy: "policies/commands-en/1.1.0.default.json"
        case .plan: "rollouts/commands-en/main.json"
        case .timestamp, .snapshot, .role, .blob, .report: nil
        }
    }

    /// Whether the agent's word on it begins with which file it is.
    var isNamed: Bool { target != nil || self == .blob }

    /// The most bytes that an agent may take for it in one request.
    var limit: Int64 {
        switch self {
        case .timestamp, .snapshot, .role: 8 << 20
        case .manifest, .policy, .plan, .blob: 1 << 20
        case .report: 64 << 10
        }
    }
}

/// A lie about one thing, and what the agent then says.
struct LieCase: CustomTestStringConvertible {
    let lie: Lie
    let thing: Thing

    /// Cases without a sense, with the reason.
    static let leftOut: [(lie: Lie, thing: Thing, reason: String)] = [
        (.isOld, .blob, "a blob is named by its digest: other bytes under that are wrong bytes"),
        (.isOld, .report, "a receipt is an answer to these reports, and no file that grows old"),
    ]

    static let all: [LieCase] = Lie.allCases.flatMap { lie in
        Thing.allCases
            .filter { thing in !leftOut.contains { $0.lie == lie && $0.thing == thing } }
            .map { LieCase(lie: lie, thing: $0) }
    }

    var testDescription: String { "\(thing.rawValue) \(lie.rawValue)" }

    /// How often it is told: a stall takes its time.
    var times: Int { lie == .stalls ? 1 : 2 }
}

/// A registry over HTTP that can lie about one thing in one way, and counts how often it did.
final class LyingRegistry: Sendable {
    private struct State {
        var lie: LieCase?
        var told = 0
    }

    let registry: MemoryRegistry
    /// The repository before the release.
    private let old: SimulatedRepository
    private let state = Mutex(State())

    init(_ registry: MemoryRegistry, old: SimulatedRepository) {
        self.registry = registry
        self.old = old
    }

    var told: Int { state.withLock { $0.told } }

    /// Lies from now on; nil is honest.
    func tell(_ lie: LieCase?) { state.withLock { $0.lie = lie } }

    func answer(_ request: ReceivedRequest) -> [ServerAction] {
        let lie = state.withLock { state -> LieCase? in
            guard let lie = state.lie, Thing(request) == lie.thing else { return nil }
            state.told += 1
            return lie
        }
        guard let lie else { return registry.answer(request).actions }
        return actions(lie, request)
    }

    private func actions(_ item: LieCase, _ request: ReceivedRequest) -> [ServerAction] {
        // Reports that are answered wrongly are not taken either.
        var honest =
            item.thing == .report
            ? HonestAnswer(status: "200 OK", body: Self.emptyReceipt.bytes)
            : registry.answer(request)
        let half = Array(honest.body.prefix(honest.body.count / 2))
        let whole = honest.actions
        switch item.lie {
        case .truncates: return [whole[0], .send(half), .close]
        case .stalls: return [whole[0], .send(half), .hang]
        case .resets: return [whole[0], .send(half), .reset]
        case .notFound: return ServerAction.answer("404 Not Found")
        case .tooMany: return ServerAction.answer("429 Too Many Requests", [], ["Retry-After: 90"])
        case .fails: return ServerAction.answer("500 Internal Server Error")
        case .wrongLength: honest.body.removeLast()
        case .wrongBytes where item.thing == .report: honest.body = Self.foreignReceipt.bytes
        case .wrongBytes: honest.body[honest.body.count / 2] ^= 1
        case .isOld: honest.body = oldBytes(of: item.thing)
        case .isEndless:
            let fields = honest.fields.map { $0 + "\r\n" }.joined()
            return [
                .text("HTTP/1.1 \(honest.status)\r\n\(fields)\r\n"),
                .flood([UInt8](repeating: 0x20, count: 16 << 10)),
            ]
        }
        return honest.actions
    }

    private static let emptyReceipt: JSON = ["type": "reports", "accepted": [], "refused": []]
    private static let foreignReceipt: JSON = [
        "type": "reports", "accepted": [999_999], "refused": [],
    ]

    private func oldBytes(of thing: Thing) -> [UInt8] {
        func metadata(_ name: MetadataFileName) -> [UInt8] { old.files[name] ?? [] }
        func target(_ folder: String) -> [UInt8] {
            old.targetFiles.first { $0.key.description.hasPrefix(folder + "/") }?.value ?? []
        }
        switch thing {
        case .timestamp: return metadata(MetadataFileName(.timestamp))
        case .snapshot:
            return metadata(MetadataFileName(.snapshot, version: old.snapshot.version))
        case .role:
            let role = RoleName.model(MemoryRegistry.model)
            let version = old.roles[role]?.version ?? .first
            return metadata(MetadataFileName(role, version: version))
        case .manifest: return target("bundles")
        case .policy: return target("policies")
        case .plan: return target("rollouts")
        case .blob, .report: preconditionFailure("left out of the table")
        }
    }
}
