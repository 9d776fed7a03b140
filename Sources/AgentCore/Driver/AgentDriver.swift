package import Cryptography
import Health
package import Primitives
import Rollouts
package import Telemetry

/// What the shell around the driver is to do.
package enum DriverOrder: Sendable {
    case start(Ticket, Job, trace: TraceID?)
    /// Interrupt the job, and send no result for it.
    case cancel(Ticket)
    /// Another version is active, or none: tell those who watch.
    case announce(SemanticVersion?)
    /// A line for the log, by its urgency.
    case log(LogLevel, String)
}

/// How much a line of the log matters; the numbers are those of syslog and of systemd's prefixes.
package enum LogLevel: Int, Sendable, Hashable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7
}

/// The agent between its machine and its ports: asks the machine, and performs the effects in order.
///
/// Synchronous, for one thread, with no clock of its own: every call is told the time. What blocks for long
/// it orders from the shell as a `Job`, and hears of it in `finish`. Short work (journal, `current` link)
/// it does itself, in the order of the effects.
package final class AgentDriver<Journal: Journaling> {
    let journal: Journal
    let slots: any SlotStoring
    let surroundings: any Surroundings
    let key: any DeviceSigning
    package let profile: DeviceProfile
    let settings: DriverSettings
    let reporter: Reporter

    package internal(set) var machine: AgentMachine
    package internal(set) var trust: TrustMemory
    package internal(set) var observation: Observation
    package internal(set) var applications: [ApplicationProcess]
    package internal(set) var material: PollMaterial?
    package internal(set) var judgement: Judgement?
    /// Why the last poll failed; nil after one that did not.
    package internal(set) var pollError: PollError?
    package internal(set) var lastPoll: UTCTime?
    /// Why the journal could not be written; what happened meanwhile waits.
    package internal(set) var journalError: JournalError?
    var standing: EnrolmentStanding
    /// Why the device could not be enrolled, as it was logged last.
    var enrolmentFailure: EnrolmentFailure?
    /// Why the download of the attempt under way waits; nil while it does not.
    package internal(set) var downloadWait: DownloadWait?

    var random: any RandomNumberGenerator & Sendable
    var schedule: PollSchedule
    var retries = RetryBudget()
    var timers = DriverTimers()
    /// What the journal holds; nil for one that holds nothing yet.
    var saved: JournalState?
    /// What the disk held at the start, until journal and disk have been brought together.
    var survey: SlotSurvey?
    var orders: [DriverOrder] = []
    /// Events that have happened and could not be journaled yet, oldest first.
    var waiting: [AgentEvent] = []
    var jobs: [Ticket: JobKind] = [:]
    /// What the link of the download under way may carry.
    var downloadBudget: DownloadRules.Budget?
    var tickets = 0
    var postFailures = 0
    /// How often in a row a slot could not be verified.
    var unverified = PerSlot(both: 0)
    /// Why the link did not move, as it was logged last.
    var linkError: SlotError?
    var lastTurn: UTCTime?

    /// Loads the journal, and brings it and the disk together.
    ///
    /// - Throws: `JournalError`, or `SlotError` where the slots cannot be looked at.
    package init(
        _ parts: DriverParts<Journal>, profile: DeviceProfile, settings: DriverSettings,
        isEnrolled: Bool, at clock: UTCTime
    ) throws(DriverError) {
        journal = parts.journal
        slots = parts.slots
        surroundings = parts.surroundings
        key = parts.key
        random = parts.random
        self.settings = settings
        standing = isEnrolled ? .enrolled : .unknown
        saved = try Self.load(parts.journal)
        let state = saved ?? JournalState(remembering: parts.journal.lasting, epoch: clock)
        let attributes = Self.numbered(profile.attributes, after: state.attributes)
        self.profile = profile.with(attributes)
        reporter = Reporter(
            device: profile.id, model: profile.model, channel: profile.channel,
            attributes: attributes, startedAt: clock)
        machine = AgentMachine(state.machine, rules: settings.rules)
        trust = state.trust
        observation = state.observation
        applications = state.applications
        schedule = PollSchedule(interval: settings.pollInterval, device: profile.id)
    }

    private static func load(_ journal: Journal) throws(DriverError) -> JournalState? {
        do { return try journal.load() } catch { throw .journal(error) }
    }

    /// Attributes that differ from those last reported get the next number.
    private static func numbered(
        _ attributes: DeviceAttributes, after last: DeviceAttributes?
    ) -> DeviceAttributes {
        guard let last else { return attributes }
        let same = attributes.with(number: last.number)
        return same == last ? last : attributes.with(number: last.number + 1)
    }

    /// Takes what there is to do since the last time.
    package func takeOrders() -> [DriverOrder] {
        defer { orders = [] }
        return orders
    }

    /// The device's time: its clock, but never before the newest signed moment.
    func now(_ clock: UTCTime) -> UTCTime { trust.now(clock) }

    func reportWriter(_ now: UTCTime, leases: PerSlot<LeaseState>? = nil) -> ReportWriter {
        let local = StandingReasons.local(
            machine.memory, observation, leases: leases, deadline: settings.leaseDeadline, at: now)
        return ReportWriter(
            reporter: reporter, machine: machine.memory, now: now, surroundings: surroundings,
            standing: StandingReasons.codes(
                local, material: material, error: pollError,
                decision: judgement?.decision))
    }
}

/// The ports and secrets of a driver.
package struct DriverParts<Journal: Journaling> {
    package let journal: Journal
    package let slots: any SlotStoring
    package let surroundings: any Surroundings
    package let key: any DeviceSigning
    package let random: any RandomNumberGenerator & Sendable

    package init(
        journal: Journal, slots: any SlotStoring, surroundings: any Surroundings,
        key: any DeviceSigning, random: any RandomNumberGenerator & Sendable
    ) {
        self.journal = journal
        self.slots = slots
        self.surroundings = surroundings
        self.key = key
        self.random = random
    }
}

/// Why the driver cannot begin.
package enum DriverError: Error, Sendable, Hashable {
    case journal(JournalError)
    case slots(SlotError)
}

extension DriverError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .journal(let error): "journal: \(error)"
        case .slots(let error): "slots: \(error)"
        }
    }
}

/// What kind of job is under way.
enum JobKind: Hashable {
    case poll(TraceID)
    case stage
    case probe
    case enrol
    case post
    case verify
    case discard
}

/// Whether the registry knows the device.
enum EnrolmentStanding: Hashable {
    case unknown
    case enrolled
    /// It did, and has said since that it does not.
    case forgotten
}

/// When things are due; nil is never.
struct DriverTimers {
    var poll: UTCTime?
    var report: UTCTime?
    var stage: UTCTime?
    /// When the conditions of a download under way are looked at again.
    var conditions: UTCTime?
    var post: UTCTime?
    var saveTurns: UTCTime?
    var verify: UTCTime?
    var journal: UTCTime?
    var consider: UTCTime?
    /// When the `current` link is tried once more.
    var link: UTCTime?
    /// Before it nothing is asked of the registry: devices that got power together come apart.
    var opening: UTCTime?

    private static var keys: [WritableKeyPath<DriverTimers, UTCTime?>] {
        [
            \.poll, \.report, \.stage, \.post, \.saveTurns, \.verify, \.journal, \.consider, \.link,
            \.opening, \.conditions,
        ]
    }

    var all: [UTCTime] { Self.keys.compactMap { self[keyPath: $0] } }

    mutating func shift(by seconds: Int64) {
        for key in Self.keys { self[keyPath: key] = self[keyPath: key].map { $0 + seconds } }
    }
}

extension DeviceProfile {
    func with(_ attributes: DeviceAttributes) -> DeviceProfile {
        DeviceProfile(
            id: id, model: model, channel: channel, attributes: attributes, agent: agent)
    }
}

extension DeviceAttributes {
    func with(number: Int64) -> DeviceAttributes {
        DeviceAttributes(
            number: number, region: region, deviceClass: deviceClass, labels: labels,
            locale: locale)
    }
}
