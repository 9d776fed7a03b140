import Cryptography
import Primitives
import RegistryCore
import TUF
import Telemetry

/// One transaction on records in memory; the store takes the state over when it ends well.
final class MemoryRecords {
    struct State {
        struct Kept {
            let file: StoredRole
            let added: UTCTime
        }

        var metadata: [RoleName: [Kept]] = [:]
        var proposals: [RoleName: StoredRole] = [:]
        var firstDigests: [TargetPath: SHA256Digest] = [:]
        var devices: [DeviceID: DeviceRecord] = [:]
        var hearings: [DeviceID: Hearing] = [:]
        var gaps: [Int64: [Cohort: [GapBucket: Int]]] = [:]
        var figures: [FiguresKey: FiguresRow] = [:]
        var facts: [CandidateKey: FactsRow] = [:]
        var following: [DeviceID: [ModelName: (channel: ChannelName, order: ReportOrder)]] = [:]
        var rollouts: [String: RolloutRecord] = [:]
        var pins: [PinRecord] = []
        var placebos: [PlaceboRecord] = []
        var tokens: [TokenID: TokenRecord] = [:]
        var enrolments: [SHA256Digest: EnrolmentRecord] = [:]
        var audit: [StoredAuditRecord] = []
        var redacted: Set<FiguresKey> = []
    }

    private let isWritable: Bool
    private let spend: () throws(RegistryError) -> Void
    private(set) var state: State

    init(_ state: State, isWritable: Bool, spend: @escaping () throws(RegistryError) -> Void) {
        self.state = state
        self.isWritable = isWritable
        self.spend = spend
    }

    func look<Value>(
        _ body: (State) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try spend()
        return try body(state)
    }

    func change<Value>(
        _ body: (inout State) throws(RegistryError) -> Value
    ) throws(RegistryError) -> Value {
        try spend()
        guard isWritable else { throw .storage("a read was written to") }
        return try body(&state)
    }
}

// MARK: Metadata

extension MemoryRecords: RegistryCore.MetadataStoring {
    func live(_ role: RoleName) throws(RegistryError) -> StoredRole? {
        try look { $0.metadata[role]?.last?.file }
    }

    func file(
        _ role: RoleName, _ version: MetadataVersion
    ) throws(RegistryError) -> StoredRole? {
        try look { $0.metadata[role]?.first { $0.file.version == version }?.file }
    }

    func add(_ file: StoredRole, at now: UTCTime) throws(RegistryError) {
        try change { (state) throws(RegistryError) in
            let held = state.metadata[file.role]?.last?.file.version
            guard held.map({ $0 < file.version }) ?? true else {
                throw .storage("metadata of role '\(file.role)' is not the newest")
            }
            state.metadata[file.role, default: []].append(State.Kept(file: file, added: now))
        }
    }

    func proposal(_ role: RoleName) throws(RegistryError) -> StoredRole? {
        try look { $0.proposals[role] }
    }

    func setProposal(_ role: RoleName, _ proposal: StoredRole?) throws(RegistryError) {
        try change { $0.proposals[role] = proposal }
    }

    func firstDigest(of target: TargetPath) throws(RegistryError) -> SHA256Digest? {
        try look { $0.firstDigests[target] }
    }

    func setFirstDigest(of target: TargetPath, _ digest: SHA256Digest) throws(RegistryError) {
        try change { state in
            if state.firstDigests[target] == nil { state.firstDigests[target] = digest }
        }
    }
}

// MARK: Access and audit

extension MemoryRecords: AccessStoring, Auditing {
    func tokens() throws(RegistryError) -> [TokenRecord] {
        try look { state in
            state.tokens.values.sorted {
                ($0.created, $0.id.description) < ($1.created, $1.id.description)
            }
        }
    }

    func tokens(digestPrefix: [UInt8]) throws(RegistryError) -> [TokenRecord] {
        try look { $0.tokens.values.filter { $0.digest.bytes.starts(with: digestPrefix) } }
    }

    func setToken(_ id: TokenID, _ record: TokenRecord?) throws(RegistryError) {
        try change { $0.tokens[id] = record }
    }

    func enrolments(digestPrefix: [UInt8]) throws(RegistryError) -> [EnrolmentRecord] {
        try look { $0.enrolments.values.filter { $0.digest.bytes.starts(with: digestPrefix) } }
    }

    func setEnrolment(_ record: EnrolmentRecord) throws(RegistryError) {
        try change { $0.enrolments[record.digest] = record }
    }

    func auditHead() throws(RegistryError) -> AuditHead? {
        try look { state in
            state.audit.last.map { AuditHead(number: $0.number, hash: $0.hash) }
        }
    }

    func add(_ record: StoredAuditRecord) throws(RegistryError) {
        try change { (state) throws(RegistryError) in
            guard record.number == Int64(state.audit.count) + 1 else {
                throw .storage("audit log: a record out of order")
            }
            state.audit.append(record)
        }
    }

    func auditRecords(
        after number: Int64, limit: Int, subject: String?
    ) throws(RegistryError) -> [StoredAuditRecord] {
        try look { state in
            let found = state.audit.filter {
                $0.number > number && (subject == nil || $0.subject == subject)
            }
            return Array(found.prefix(limit))
        }
    }
}

// MARK: Rollouts

extension MemoryRecords: RolloutStoring {
    func rollout(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> RolloutRecord? {
        try look { $0.rollouts[RolloutRecord.subject(model, channel)] }
    }

    func rollouts() throws(RegistryError) -> [RolloutRecord] {
        try look { state in state.rollouts.sorted { $0.key < $1.key }.map(\.value) }
    }

    func rollouts(of model: ModelName) throws(RegistryError) -> [RolloutRecord] {
        try rollouts().filter { $0.model == model }
    }

    func rolloutLines() throws(RegistryError) -> [RolloutLine] {
        try rollouts().map { RolloutLine(model: $0.model, channel: $0.channel) }
    }

    func setRollout(_ record: RolloutRecord) throws(RegistryError) {
        try change { $0.rollouts[record.subject] = record }
    }
}
