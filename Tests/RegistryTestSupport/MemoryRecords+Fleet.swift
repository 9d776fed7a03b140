import Primitives
import RegistryCore
import TUF
import Telemetry

extension MemoryRecords: FleetStoring, ReportStoring, HearingStoring {
    func device(_ id: DeviceID) throws(RegistryError) -> DeviceRecord? {
        try look { $0.devices[id] }
    }

    func setDevice(_ record: DeviceRecord) throws(RegistryError) {
        try change { $0.devices[record.id] = record }
    }

    func devices(
        after id: DeviceID?, limit: Int
    ) throws(RegistryError) -> [DeviceRecord] {
        try look { state in
            let all = state.devices.sorted { $0.key < $1.key }.map(\.value)
            return Array(all.filter { record in id.map { $0 < record.id } ?? true }.prefix(limit))
        }
    }

    func forget(_ id: DeviceID) throws(RegistryError) -> Bool {
        try change { state in
            state.hearings[id] = nil
            state.following[id] = nil
            state.figures = state.figures.filter { $0.key.device != id }
            state.facts = state.facts.filter { $0.key.device != id }
            state.pins.removeAll { $0.device == id }
            for (digest, record) in state.enrolments where record.use == .used(by: id) {
                state.enrolments[digest]?.use = .used(by: nil)
            }
            return state.devices.removeValue(forKey: id) != nil
        }
    }

    func figures(_ key: FiguresKey) throws(RegistryError) -> FiguresRow? {
        try look { $0.figures[key] }
    }

    func setFigures(_ row: FiguresRow) throws(RegistryError) {
        try change { state in
            let report = row.report
            let key = FiguresKey(of: report)
            state.figures[key] = row
            state.redacted.remove(key)
            let own = state.figures.filter { $0.key.device == report.device && $0.key != key }
            if own.count >= ReportLimits.figures,
                let oldest = own.min(by: { $0.value.received < $1.value.received })
            {
                state.figures[oldest.key] = nil
            }
            let held = state.following[report.device]?[report.model]
            if held.map({ $0.order < report.order }) ?? true {
                state.following[report.device, default: [:]][report.model] =
                    (report.channel, report.order)
            }
        }
    }

    func facts(_ key: CandidateKey) throws(RegistryError) -> FactsRow? {
        try look { $0.facts[key] }
    }

    func setFacts(_ row: FactsRow) throws(RegistryError) {
        try change { state in
            state.facts[row.key] = row
            let own = state.facts.filter { $0.key.device == row.key.device && $0.key != row.key }
            if own.count >= ReportLimits.facts,
                let oldest = own.min(by: { $0.value.updated < $1.value.updated })
            {
                state.facts[oldest.key] = nil
            }
        }
    }

    func hearing(_ device: DeviceID) throws(RegistryError) -> Hearing? {
        try look { $0.hearings[device] }
    }

    func setHearing(_ device: DeviceID, _ hearing: Hearing) throws(RegistryError) {
        try change { $0.hearings[device] = hearing }
    }

    func countGap(
        _ gap: GapBucket, of cohort: Cohort, on day: Int64
    ) throws(RegistryError) {
        try change { $0.gaps[day, default: [:]][cohort, default: [:]][gap, default: 0] += 1 }
    }

    func gaps(since day: Int64) throws(RegistryError) -> [Cohort: [GapBucket: Int]] {
        try look { state in
            state.gaps.filter { $0.key >= day }.values.reduce(into: [:]) { sum, cohorts in
                for (cohort, gaps) in cohorts {
                    sum[cohort, default: [:]].merge(gaps, uniquingKeysWith: +)
                }
            }
        }
    }

    func lastHeard(
        in times: Range<UTCTime>, notExposedTo candidate: SemanticVersion, of model: ModelName
    ) throws(RegistryError) -> [Cohort: Int] {
        try look { state in
            let silent = state.hearings.filter { device, hearing in
                let key = CandidateKey(device: device, model: model, candidate: candidate)
                return times.contains(hearing.at) && state.facts[key]?.exposed == nil
            }
            return Self.cohorts(silent.keys, in: state)
        }
    }

    fileprivate static func cohorts(
        _ devices: some Sequence<DeviceID>, in state: State
    ) -> [Cohort: Int] {
        devices.reduce(into: [:]) { counts, id in
            guard let cohort = state.devices[id]?.attributes.cohort else { return }
            counts[cohort, default: 0] += 1
        }
    }
}

// MARK: Evidence

extension MemoryRecords: EvidenceStoring {
    func figures(of device: DeviceID) throws(RegistryError) -> [FiguresRow] {
        try look { state in
            state.figures.values.filter { $0.report.device == device }
                .sorted { $0.report.order > $1.report.order }
        }
    }

    func facts(of device: DeviceID) throws(RegistryError) -> [FactsRow] {
        try look { state in
            state.facts.values.filter { $0.key.device == device }.sorted {
                ($0.key.model, $0.key.candidate.description)
                    < ($1.key.model, $1.key.candidate.description)
            }
        }
    }

    func samples(_ query: SampleQuery) throws(RegistryError) -> [SampleRow] {
        try look { state in
            let ranked = state.devices.values.sorted { $0.rank < $1.rank }
            let treated = ranked.compactMap { Self.treated($0, query, state) }.prefix(query.limit)
            let known = Set(treated.map(\.device))
            let byDevice = Dictionary(grouping: state.figures.values, by: \.report.device)
            let control = ranked.compactMap {
                Self.control($0, byDevice[$0.id] ?? [], query, state)
            }.prefix(query.limit)
            return treated + control.filter { !known.contains($0.device) }
        }
    }

    private static func treated(
        _ device: DeviceRecord, _ query: SampleQuery, _ state: State
    ) -> SampleRow? {
        let key = CandidateKey(
            device: device.id, model: query.model, candidate: query.candidate)
        guard let facts = state.facts[key], facts.exposed != nil || facts.attempted != nil,
            state.following[device.id]?[query.model]?.channel == query.channel
        else { return nil }
        let figures = FiguresKey(
            device: device.id, model: query.model, version: query.candidate,
            window: query.window)
        return SampleRow(
            device: device.id, attributes: device.attributes,
            heard: state.hearings[device.id], figures: state.figures[figures], facts: facts)
    }

    private static func control(
        _ device: DeviceRecord, _ figures: [FiguresRow], _ query: SampleQuery, _ state: State
    ) -> SampleRow? {
        let own = figures.filter { row in
            let report = row.report
            return report.model == query.model && report.channel == query.channel
                && report.place?.arm == .control
                && report.place?.window == query.window
        }
        guard let newest = own.max(by: { $0.report.order < $1.report.order }) else { return nil }
        return SampleRow(
            device: device.id, attributes: device.attributes,
            heard: state.hearings[device.id], figures: newest, facts: nil)
    }

    func exposure(
        model: ModelName, channel: ChannelName, candidate: SemanticVersion
    ) throws(RegistryError) -> [Cohort: Int] {
        try look { state in
            let exposed = state.facts.values.filter {
                $0.key.model == model && $0.key.candidate == candidate && $0.exposed != nil
                    && state.following[$0.key.device]?[model]?.channel == channel
            }
            return Self.cohorts(exposed.map(\.key.device), in: state)
        }
    }

    func subscribers(
        model: ModelName, channel: ChannelName
    ) throws(RegistryError) -> [Subscriber] {
        try look { state in
            state.devices.sorted { $0.key < $1.key }.compactMap { id, record in
                let follows =
                    state.following[id].map {
                        $0[model]?.channel == channel && state.hearings[id] != nil
                    } ?? (channel == .main)
                return follows ? Subscriber(device: id, attributes: record.attributes) : nil
            }
        }
    }
}

// MARK: Retention

extension MemoryRecords: RetentionStoring {
    func dropReports(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        try change { state in
            let before = Self.count(state)
            state.figures = state.figures.filter { $0.value.received >= moment }
            state.facts = state.facts.filter { $0.value.updated >= moment }
            state.hearings = state.hearings.filter { $0.value.at >= moment }
            state.gaps = state.gaps.filter { $0.key >= moment.seconds / 86_400 }
            return before - Self.count(state)
        }
    }

    private static func count(_ state: State) -> Int {
        let gaps = state.gaps.values.flatMap { $0.values.map(\.count) }.reduce(0, +)
        return state.figures.count + state.facts.count + state.hearings.count + gaps
    }

    func redact(
        _ fields: [ReportField], olderThan moment: UTCTime
    ) throws(RegistryError) -> Int {
        try change { (state) throws(RegistryError) in
            let due = state.figures.filter {
                $0.value.received < moment && !state.redacted.contains($0.key)
            }
            for (key, row) in due {
                let bytes = try ReportRedaction(fields).redact(row.bytes)
                state.figures[key] = try FiguresRow(
                    bytes: bytes, firstReceived: row.firstReceived, received: row.received,
                    jumped: row.jumped)
                state.redacted.insert(key)
            }
            return due.count
        }
    }

    func dropMetadata(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        try change { state in
            var dropped = 0
            for (role, kept) in state.metadata where role != .root {
                let newest = kept.lastIndex { $0.added < moment } ?? 0
                dropped += newest
                state.metadata[role] = Array(kept[newest...])
            }
            return dropped
        }
    }

    func dropAccess(olderThan moment: UTCTime) throws(RegistryError) -> Int {
        try change { state in
            let before = state.tokens.count + state.enrolments.count
            state.tokens = state.tokens.filter { token in
                token.value.expires.map { $0 >= moment } ?? true
            }
            state.enrolments = state.enrolments.filter { _, record in
                record.expires >= moment && (record.use == .unused || record.created >= moment)
            }
            return before - state.tokens.count - state.enrolments.count
        }
    }
}
