import CFieldfare
import FieldfareAgent

/// A connection, with the texts that C was shown last.
final class ConnectionBox {
    let connection: AgentConnection
    private var eventTexts: [CText] = []
    private var stateTexts: [CText] = []

    init(_ connection: AgentConnection) { self.connection = connection }

    func fill(_ event: AgentEvent) -> fieldfare_event {
        eventTexts = []
        var filled = unsafe fieldfare_event()
        unsafe filled.size = UInt32(MemoryLayout<fieldfare_event>.size)
        unsafe filled.within_s = -1
        switch event {
        case .model(let version):
            unsafe filled.kind = FIELDFARE_EVENT_MODEL.rawValue
            unsafe filled.version = unsafe Self.show(version, &eventTexts)
        case .state(let name):
            unsafe filled.kind = FIELDFARE_EVENT_STATE.rawValue
            unsafe filled.state = unsafe Self.show(name, &eventTexts)
        case .release(let slot, let seconds):
            unsafe filled.kind = FIELDFARE_EVENT_RELEASE.rawValue
            unsafe filled.slot = unsafe Self.show(slot, &eventTexts)
            unsafe filled.within_s = Int64(seconds)
        }
        return unsafe filled
    }

    func fill(_ state: AgentState) -> fieldfare_state {
        stateTexts = []
        var filled = unsafe fieldfare_state()
        unsafe filled.size = UInt32(MemoryLayout<fieldfare_state>.size)
        for (isSo, flag) in [
            (state.isCloudOnly, FIELDFARE_STATE_CLOUD_ONLY), (state.isHeld, FIELDFARE_STATE_HELD),
            (state.isEnrolled, FIELDFARE_STATE_ENROLLED),
        ] where isSo { unsafe filled.flags |= UInt32(flag) }
        unsafe filled.name = unsafe Self.show(state.name, &stateTexts)
        unsafe filled.device = unsafe Self.show(state.device, &stateTexts)
        unsafe filled.model = unsafe Self.show(state.model, &stateTexts)
        unsafe filled.channel = unsafe Self.show(state.channel, &stateTexts)
        unsafe filled.active_version = unsafe Self.show(state.activeVersion, &stateTexts)
        unsafe filled.serving_version = unsafe Self.show(state.servingVersion, &stateTexts)
        unsafe filled.attempted_version = unsafe Self.show(state.attemptedVersion, &stateTexts)
        return unsafe filled
    }

    private static func show(_ text: String?, _ kept: inout [CText]) -> UnsafePointer<CChar>? {
        guard let text else { return nil }
        let shown = CText(text)
        kept.append(shown)
        return unsafe shown.reading
    }
}

/// A lease, with its texts.
final class LeaseBox {
    let lease: ModelLease
    let path: CText
    let version: CText
    let slot: CText
    let manifestSHA256: CText

    init(_ lease: ModelLease) {
        self.lease = lease
        path = CText(lease.path)
        version = CText(lease.version)
        slot = CText(lease.slot)
        manifestSHA256 = CText(lease.manifestSHA256)
    }
}

extension Turn {
    /// A turn as C describes it.
    init(_ turn: fieldfare_turn) {
        func known<Number: BinaryInteger>(_ number: Number) -> Int? {
            number < 0 ? nil : Int(number)
        }
        func has(_ flag: Int) -> Bool { unsafe turn.flags & UInt32(flag) != 0 }
        self.init(
            latencyMicroseconds: unsafe known(turn.latency_us),
            cpuMicroseconds: unsafe known(turn.cpu_us))
        memoryKiB = unsafe known(turn.memory_kib)
        confidence = unsafe known(turn.confidence)
        words = unsafe known(turn.words).map { ($0, unsafe Int(turn.word_errors)) }
        locale = unsafe String(fromC: turn.locale)
        isEscalated = has(FIELDFARE_TURN_ESCALATED)
        isError = has(FIELDFARE_TURN_ERROR)
        isFalseAccept = has(FIELDFARE_TURN_FALSE_ACCEPT)
        isAbandoned = has(FIELDFARE_TURN_ABANDONED)
        isRetried = has(FIELDFARE_TURN_RETRIED)
    }
}
